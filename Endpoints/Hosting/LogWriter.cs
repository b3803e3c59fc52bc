using JasperFx.Events;
using Marten;
using Signup.EventLog;

namespace Signup.Hosting;

/// <summary>Facts to append to one stream, as a handler returns them.</summary>
/// <param name="ExpectedVersion">The version the decision was based on.</param>
public sealed record Append(Guid StreamId, long ExpectedVersion, params IReadOnlyList<object> Events);

/// <summary>Appends facts. That is all: whoever is to hear of them hears it from the log, see <see cref="EventPublisher"/>.</summary>
public sealed class LogWriter(IDocumentStore store, EventPublisher publisher)
{
    /// <exception cref="EventStreamUnexpectedMaxEventIdException">The stream has moved on: load and decide again.</exception>
    public async Task AppendAsync(Append? append)
    {
        if (append is null || append.Events.Count == 0) return;
        await using var session = store.LightweightSession();
        var cause = Cause.Capture();
        var events = append.Events.Select(session.Events.BuildEvent).ToArray();
        foreach (var e in events) cause.Stamp(e);
        if (append.ExpectedVersion == 0) session.Events.StartStream(append.StreamId, events.Cast<object>());
        else session.Events.Append(append.StreamId, append.ExpectedVersion + events.Length, events.Cast<object>());
        await session.SaveChangesAsync();
        publisher.WakeUp.Signal();
    }
}
