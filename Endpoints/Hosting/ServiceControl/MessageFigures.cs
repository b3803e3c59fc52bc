using System.Collections.Concurrent;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.ServiceControl;

/// <summary>How long messages took, until the figures are reported. Bounded: what cannot be reported is forgotten.</summary>
public sealed class MessageFigures(ServiceControlSettings settings, TimeProvider time)
{
    private const int Most = 20 * Occurrence.Most;

    private readonly ConcurrentQueue<(string Metric, Occurrence Occurrence)> _figures = [];

    /// <param name="took">In the handler.</param>
    public void Handled(Incoming message, TimeSpan took)
    {
        if (!settings.Enabled) return;
        var now = time.GetUtcNow();
        Add("ProcessingTime", message, now, (long)took.TotalMilliseconds);
        if (Wire.ReadDate(message[WireHeaders.TimeSent]) is { } sent)
            Add("CriticalTime", message, now, Math.Max(0, (long)(now - sent).TotalMilliseconds));
    }

    public void Retried(Incoming message)
    {
        if (settings.Enabled) Add("Retries", message, time.GetUtcNow(), 1);
    }

    /// <summary>All since the last time, by metric.</summary>
    internal IEnumerable<IGrouping<string, Occurrence>> Take()
    {
        var taken = new List<(string Metric, Occurrence Occurrence)>();
        while (_figures.TryDequeue(out var figure)) taken.Add(figure);
        return taken.GroupBy(f => f.Metric, f => f.Occurrence);
    }

    private void Add(string metric, Incoming message, DateTimeOffset at, long value)
    {
        if (_figures.Count < Most)
            _figures.Enqueue((metric, new Occurrence(at.UtcTicks, message[WireHeaders.EnclosedMessageTypes] ?? "", value)));
    }
}
