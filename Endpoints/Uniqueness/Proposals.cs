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
    private readonly NpgsqlDataSource _database;
    private readonly EventPublisher _publisher;
    private readonly GroupCommit<Proposal, Verdict> _commits;

    public Proposals(UniquenessRules rules, NpgsqlDataSource database, EventPublisher publisher)
    {
        (_rules, _database, _publisher) = (rules, database, publisher);
        _commits = new(CommitWithTwinsAsync, MaxBatch);
    }

    /// <param name="eventId">Identifies the proposal; null: its content does.</param>
    /// <exception cref="FormatException">The proposal is wrong. Says what.</exception>
    /// <exception cref="RebuildingException"/>
    public Task<Verdict> DecideAsync(Guid streamId, Guid? eventId, long expectedVersion, string type, System.Text.Json.JsonElement data, bool once) =>
        _commits.SubmitAsync(Proposal.Read(_rules, streamId, eventId, expectedVersion, type, data, once));

    /// <summary>Decides a proposal that nobody has made, and keeps nothing of it. See <see cref="RehearsalServices.AddRehearsal"/>.</summary>
    public Task<Verdict> RehearseAsync()
    {
        var type = EventTypes.Find(_rules.EventNames.First())!;
        var claim = new Claim("rehearsal", ClaimAction.Create, Guid.NewGuid().ToString(), null);
        return RehearseAsync(new Proposal(Guid.NewGuid(), Guid.NewGuid(), 0, type, "{}", [claim], Named: true, Once: false));
    }

    /// <summary>The same, where somebody else rehearses.</summary>
    /// <exception cref="FormatException">The proposal is wrong. Says what.</exception>
    public Task<Verdict> RehearseAsync(ProposeEvent proposed) =>
        RehearseAsync(Proposal.Read(_rules, proposed.StreamId, proposed.EventId, proposed.ExpectedVersion, proposed.Type, proposed.Data, proposed.Once));

    private async Task<Verdict> RehearseAsync(Proposal proposal)
    {
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        return (await DecideAsync(connection, [proposal], again: false))[0];
    }

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
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var verdicts = await DecideAsync(connection, batch, again);
        await transaction.CommitAsync();
        if (verdicts.Any(v => v.Outcome == VerdictOutcome.Accepted)) _publisher.WakeUp.Signal();
        return verdicts;
    }

    /// <summary>In the connection's transaction.</summary>
    private static async Task<IReadOnlyList<Verdict>> DecideAsync(NpgsqlConnection connection, IReadOnlyList<Proposal> batch, bool again)
    {
        var claims = new ClaimBatch(connection);
        var verdicts = await claims.LookAsync(batch);
        var known = verdicts.Select(v => v is { Outcome: VerdictOutcome.NotUnique }).ToList();
        var undecided = Enumerable.Range(0, batch.Count).Where(i => verdicts[i] is null).ToList();
        var conflicts = await claims.ClaimAsync(undecided.ConvertAll(i => batch[i]), again);
        for (var n = 0; n < undecided.Count; n++) verdicts[undecided[n]] = conflicts[n];

        var accepted = undecided.FindAll(i => verdicts[i] is null);
        var positions = await Appending.AppendAsync(connection, accepted.ConvertAll(i => batch[i].AsNewEvent()));
        // A "no" is kept, too: whoever missed it finds it, and the same proposal again hears it again, even if the value is free by then.
        await Verdicts.KeepAsync(connection, [.. verdicts.Where((v, i) => batch[i].Named && !known[i] && v is { Outcome: not VerdictOutcome.Accepted })!]);
        for (var n = 0; n < accepted.Count; n++) verdicts[accepted[n]] = batch[accepted[n]].Accepted(positions[n]);
        return verdicts!;
    }
}
