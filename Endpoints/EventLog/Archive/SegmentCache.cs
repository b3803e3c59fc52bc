namespace Signup.EventLog.Archive;

/// <summary>Keeps the segments that were read last: who reads the archive reads each file in many small pieces. A segment that is in here was
/// verified when it was read, and closed segments do not change.</summary>
internal sealed class SegmentCache
{
    /// <summary>Segments; of default size some ten megabytes each.</summary>
    private const int Capacity = 4;

    private readonly Lock _lock = new();
    private readonly LinkedList<(string Sha256, IReadOnlyList<StoredEvent> Events)> _latest = new();

    /// <inheritdoc cref="Segment.LoadAsync"/>
    public async Task<IReadOnlyList<StoredEvent>> LoadAsync(Segment segment, CancellationToken cancellation)
    {
        lock (_lock)
        {
            for (var node = _latest.First; node is not null; node = node.Next)
            {
                if (node.Value.Sha256 != segment.Sha256) continue;
                _latest.Remove(node);
                _latest.AddFirst(node);
                return node.Value.Events;
            }
        }
        var events = await segment.LoadAsync(cancellation);
        lock (_lock)
        {
            _latest.AddFirst((segment.Sha256, events));
            if (_latest.Count > Capacity) _latest.RemoveLast();
        }
        return events;
    }
}
