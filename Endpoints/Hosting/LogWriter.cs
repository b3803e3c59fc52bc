using JasperFx.Events;
using Marten;
using Signup.EventLog;

namespace Signup.Hosting;

/// <summary>Facts to append to one stream, as a handler returns them.</summary>
/// <param name="ExpectedVersion">The version the decision was based on.</param>
public sealed record Append(Guid StreamId, long ExpectedVersion, params IReadOnlyList<object> Events);

/// <summary>Appends facts and puts the messages that tell of them into the outbox, in one transaction.</summary>
public sealed class LogWriter(IDocumentStore store, Outbox outbox)
{
    /// <exception cref="EventStreamUnexpectedMaxEventIdException">The stream has moved on: load and decide again.</exception>
    public async Task AppendAsync(Append? append)
    {
        if (append is null || append.Events.Count == 0) return;
        await using var session = store.LightweightSession();
        if (append.ExpectedVersion == 0) session.Events.StartStream(append.StreamId, append.Events);
        else session.Events.Append(append.StreamId, append.ExpectedVersion + append.Events.Count, append.Events);
        var outgoing = append.Events.SelectMany((e, i) => outbox.For(EventTypes.ToMessage(e, append.StreamId, append.ExpectedVersion + 1 + i))).ToList();
        outbox.Store(session, outgoing);
        await session.SaveChangesAsync();
        outbox.Publish(outgoing);
    }
}
