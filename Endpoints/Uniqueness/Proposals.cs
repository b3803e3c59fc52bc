using JasperFx.Events;
using Marten;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>The claims are being rebuilt; ask again later.</summary>
public sealed class RebuildingException() : TransientException("The claims on unique values are being rebuilt from the log.");

/// <summary>
/// Decides proposals: claim and event in one transaction, and a verdict only after its commit. Whoever is to hear of an event hears it from the log.
/// Proposals that arrive together share a transaction. Nothing is decided from memory, so any number of instances may run:
/// the primary key on claims lets one through and makes the other wait until the first has committed or is gone.
/// </summary>
public sealed class Proposals
{
    /// <summary>More in one transaction gains little and makes the first wait for the last.</summary>
    private const int MaxBatch = 128;

    private readonly UniquenessRules _rules;
    private readonly IDocumentStore _store;
    private readonly EventPublisher _publisher;
    private readonly GroupCommit<Proposal, Verdict> _commits;

    public Proposals(UniquenessRules rules, IDocumentStore store, EventPublisher publisher)
    {
        (_rules, _store, _publisher) = (rules, store, publisher);
        _commits = new(CommitWithTwinsAsync, MaxBatch);
    }

    /// <param name="eventId">Identifies the proposal; null: its content does.</param>
    /// <exception cref="FormatException">The proposal is wrong. Says what.</exception>
    /// <exception cref="RebuildingException"/>
    public Task<Verdict> DecideAsync(Guid streamId, Guid? eventId, long expectedVersion, string type, System.Text.Json.JsonElement data, bool once) =>
        _commits.SubmitAsync(Proposal.Read(_rules, streamId, eventId, expectedVersion, type, data, once));

    /// <summary>The same proposal may be under way in another instance (a redelivery, an impatient client). Who finds its value claimed by its own stream
    /// has waited for its twin's commit; looking again finds the twin's answer. So does who began a stream that another began meanwhile.</summary>
    private async Task<IReadOnlyList<Verdict>> CommitWithTwinsAsync(IReadOnlyList<Proposal> batch)
    {
        try
        {
            return await CommitAsync(batch, again: false);
        }
        catch (Exception e) when (batch.Count == 1 && (e is TwinException || Recoverability.HasMovedOn(e)))
        {
            return await CommitAsync(batch, again: true);
        }
    }

    /// <summary>One transaction for a batch. On any failure nothing of it is kept; <see cref="GroupCommit{TItem,TResult}"/> then gives each its own.</summary>
    private async Task<IReadOnlyList<Verdict>> CommitAsync(IReadOnlyList<Proposal> batch, bool again)
    {
        await using var session = _store.LightweightSession();
        await session.BeginTransactionAsync(CancellationToken.None);
        var claims = new ClaimBatch(session.Connection!);
        var verdicts = new Verdict?[batch.Count];
        var appended = new StreamAction?[batch.Count];

        var first = await claims.LookAsync(batch);
        var undecided = new List<int>();
        for (var i = 0; i < batch.Count; i++)
        {
            verdicts[i] = first[i];
            if (first[i] is null) undecided.Add(i);
        }

        var conflicts = await claims.ClaimAsync([.. undecided.Select(i => batch[i])], again);
        for (var n = 0; n < undecided.Count; n++)
        {
            var (i, proposal) = (undecided[n], batch[undecided[n]]);
            verdicts[i] = conflicts[n];
            if (conflicts[n] is null) appended[i] = Append(session, proposal);
        }
        // A "no" is kept, too: whoever missed it finds it, and the same proposal again hears it again, even if the value is free by then.
        for (var i = 0; i < batch.Count; i++)
            if (batch[i].Named && verdicts[i] is { Outcome: not VerdictOutcome.Accepted } no && first[i] is not { Outcome: VerdictOutcome.NotUnique })
                Verdicts.Keep(session, no);

        await session.SaveChangesAsync();
        if (appended.Any(a => a is not null)) _publisher.WakeUp.Signal();
        for (var i = 0; i < batch.Count; i++)
            if (appended[i] is { } stream) verdicts[i] = batch[i].Accepted(batch[i].ExpectedVersion + 1, stream.Events[0].Sequence);
        return verdicts!;
    }

    private static StreamAction Append(IDocumentSession session, Proposal proposal)
    {
        var e = session.Events.BuildEvent(proposal.Event);
        e.Id = proposal.EventId;
        proposal.Cause.Stamp(e);
        return proposal.ExpectedVersion == 0
            ? session.Events.StartStream(proposal.StreamId, e)
            : session.Events.Append(proposal.StreamId, proposal.ExpectedVersion + 1, e);
    }
}
