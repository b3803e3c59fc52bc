using Npgsql;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Hosting.Handling;
using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>The claims are being rebuilt; ask again later.</summary>
public sealed class RebuildingException() : TransientException("The claims on unique values are being rebuilt from the log.");

/// <summary>
/// Decides proposals: claim and event in one transaction, and a verdict only after its commit. Whoever is to hear of an event hears it from the log.
/// Proposals that arrive together share a transaction. Nothing is decided from memory, so any number of instances may run:
/// a value is reserved until the transaction ends, and the primary key on claims is the fence behind that.
/// </summary>
public sealed class Proposals : IDisposable
{
    /// <summary>More in one transaction gains little and makes the first wait for the last.</summary>
    private const int MaxBatch = 128;

    /// <summary>Each takes a connection, and may wait with it.</summary>
    private const int MaxAlone = 16;

    private readonly UniquenessRules _rules;
    private readonly NpgsqlDataSource _database;
    private readonly EventPublisher _publisher;
    private readonly GroupCommit<Proposal, Verdict?> _commits;
    private readonly SemaphoreSlim _alone = new(MaxAlone);

    public Proposals(UniquenessRules rules, NpgsqlDataSource database, EventPublisher publisher)
    {
        (_rules, _database, _publisher) = (rules, database, publisher);
        _commits = new(CommitBatchAsync, MaxBatch);
    }

    /// <param name="eventId">Identifies the proposal; null: its content does.</param>
    /// <exception cref="FormatException">The proposal is wrong. Says what.</exception>
    /// <exception cref="RebuildingException"/>
    public async Task<Verdict> DecideAsync(Guid streamId, Guid? eventId, long expectedVersion, string type, System.Text.Json.JsonElement data, bool once)
    {
        var proposal = Proposal.Read(_rules, streamId, eventId, expectedVersion, type, data, once);
        return await _commits.SubmitAsync(proposal) ?? await DecideAloneAsync(proposal);
    }

    /// <summary>Decides a proposal that nobody has made, and keeps nothing of it. See <see cref="RehearsalServices.AddRehearsal"/>.</summary>
    public Task<Verdict?> RehearseAsync()
    {
        var type = EventTypes.Find(_rules.EventNames.First())!;
        var claim = new Claim("rehearsal", ClaimAction.Create, Guid.NewGuid().ToString(), null);
        return RehearseAsync(new Proposal(Guid.NewGuid(), Guid.NewGuid(), 0, type, "{}", [claim], Named: true, Once: false));
    }

    /// <summary>The same, where somebody else rehearses.</summary>
    /// <exception cref="FormatException">The proposal is wrong. Says what.</exception>
    public Task<Verdict?> RehearseAsync(ProposeEvent proposed) =>
        RehearseAsync(Proposal.Read(_rules, proposed.StreamId, proposed.EventId, proposed.ExpectedVersion, proposed.Type, proposed.Data, proposed.Once));

    public void Dispose() => _alone.Dispose();

    private async Task<Verdict?> RehearseAsync(Proposal proposal)
    {
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        return (await DecideAsync(connection, [proposal], wait: false))[0];
    }

    /// <summary>What a batch could not decide without waiting waits here, so that one value that is stuck (with an instance frozen before its commit, for example)
    /// costs the others nothing. It may be stuck with its own twin (a redelivery, an impatient client), whose answer it finds then.</summary>
    private async Task<Verdict> DecideAloneAsync(Proposal proposal)
    {
        await _alone.WaitAsync();
        try
        {
            return await DecideAsync();
        }
        catch (Exception e) when (Recoverability.HasMovedOn(e))
        {
            return await DecideAsync();
        }
        finally
        {
            _alone.Release();
        }

        async Task<Verdict> DecideAsync() => (await CommitAsync([proposal], wait: true))[0] ?? throw new StreamMovedOnException(proposal.StreamId);
    }

    /// <returns>Null: see <see cref="DecideAloneAsync"/>.</returns>
    private async Task<IReadOnlyList<Verdict?>> CommitBatchAsync(IReadOnlyList<Proposal> batch)
    {
        try
        {
            return await CommitAsync(batch, wait: false);
        }
        catch (Exception e) when (Recoverability.HasMovedOn(e) || e is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable })
        {
            // Someone has begun one of the streams meanwhile, or is about to.
            return new Verdict?[batch.Count];
        }
    }

    /// <summary>One transaction. On any failure nothing of it is kept; <see cref="GroupCommit{TItem,TResult}"/> then gives each its own.</summary>
    private async Task<IReadOnlyList<Verdict?>> CommitAsync(IReadOnlyList<Proposal> batch, bool wait)
    {
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var verdicts = await DecideAsync(connection, batch, wait);
        await transaction.CommitDurablyAsync();
        if (verdicts.Any(v => v is { Outcome: VerdictOutcome.Accepted })) _publisher.WakeUp.Signal();
        return verdicts;
    }

    /// <summary>In the connection's transaction.</summary>
    private static async Task<IReadOnlyList<Verdict?>> DecideAsync(NpgsqlConnection connection, IReadOnlyList<Proposal> batch, bool wait)
    {
        // A double click, or two deliveries of one message: they share an answer.
        var distinct = batch.DistinctBy(p => p.Id).ToList();
        var claims = new ClaimBatch(connection, wait);
        var state = await claims.LookAsync(distinct);
        var verdicts = distinct.ToDictionary(p => p.Id, state.Decide);
        await claims.WriteAsync(state);
        var positions = await Appending.AppendAsync(connection, state.Accepted.ConvertAll(p => p.AsNewEvent()));
        // A "no" is kept, too: whoever missed it finds it, and the same proposal again hears it again, even if the value is free by then.
        await Verdicts.KeepAsync(connection, [.. distinct.Where(p => p.Named).Select(p => verdicts[p.Id]).OfType<Verdict>().Where(v => v.Outcome != VerdictOutcome.Accepted)]);
        // What was accepted before, and is found, is said once more.
        if (verdicts.Values.Any(v => v is { Outcome: VerdictOutcome.Accepted, Position: > 0 })) await Durability.AnswerForWhatIsReadAsync(connection);
        for (var n = 0; n < positions.Length; n++) verdicts[state.Accepted[n].Id] = state.Accepted[n].Accepted(positions[n]);
        return [.. batch.Select(p => verdicts[p.Id])];
    }
}
