using JasperFx.Events;
using Marten;
using Signup.EventLog;
using Wolverine.Marten;
using Wolverine.Runtime;

namespace Signup.Hosting;

/// <summary>Facts to append to one stream, as a handler returns them.</summary>
/// <param name="ExpectedVersion">The version the decision was based on.</param>
public sealed record Append(Guid StreamId, long ExpectedVersion, params IReadOnlyList<object> Events);

/// <summary>Appends facts and puts the messages that tell of them into the outbox, in one transaction.</summary>
public sealed class LogWriter(IDocumentStore store, IWolverineRuntime runtime)
{
    /// <exception cref="EventStreamUnexpectedMaxEventIdException">The stream has moved on: load and decide again.</exception>
    public async Task AppendAsync(Append? append)
    {
        if (append is null || append.Events.Count == 0) return;
        await using var session = store.LightweightSession();
        var outbox = new MartenOutbox((WolverineRuntime)runtime, session);
        await EnlistAsync(outbox, session, append);
        await session.SaveChangesAsync();
    }

    /// <summary>Adds to a session that the caller saves: <paramref name="append"/> and its messages go with whatever else is in it.</summary>
    public static async Task EnlistAsync(IMartenOutbox outbox, IDocumentSession session, Append append)
    {
        var last = append.ExpectedVersion + append.Events.Count;
        if (append.ExpectedVersion == 0) session.Events.StartStream(append.StreamId, append.Events);
        else session.Events.Append(append.StreamId, last, append.Events);
        var version = append.ExpectedVersion;
        foreach (var e in append.Events)
            await outbox.PublishAsync(EventTypes.ToMessage(e, append.StreamId, ++version));
    }
}
