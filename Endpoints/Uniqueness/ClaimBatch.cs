using Npgsql;
using NpgsqlTypes;
using Signup.EventLog;
using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>The SQL of one transaction over many proposals.</summary>
internal sealed class ClaimBatch(NpgsqlConnection connection)
{
    /// <summary>How long to wait for another instance's uncommitted claim, in milliseconds. One value that is stuck (an instance frozen
    /// before its commit) must not hold up everyone else's.</summary>
    private const int LockTimeout = 1000;

    /// <summary>Which proposals have their answer already; null for those that are still to be decided.</summary>
    public async Task<Verdict?[]> LookAsync(IReadOnlyList<Proposal> batch)
    {
        await using var commands = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand($"select set_config('lock_timeout', '{LockTimeout}', true), pg_try_advisory_xact_lock_shared({ClaimTable.RebuildLock}) and not exists (select from uniqueness.rebuild)"),
                Ids($"""
                    select p.n, s.version, e.id, e.seq_id
                    from unnest(@streams, @versions) with ordinality as p(id, version, n)
                    join {LogStore.Schema}.mt_streams s on s.id = p.id
                    left join {LogStore.Schema}.mt_events e on e.stream_id = p.id and e.version = p.version + 1
                    order by s.id for no key update of s
                    """),
                Ids("""
                    select p.n, r.event_id, r.name
                    from unnest(@streams, @versions) with ordinality as p(id, version, n) join uniqueness.rejections r on r.stream_id = p.id
                    where r.outcome = 'NotUnique'
                    """),
            },
        };
        var verdicts = new Verdict?[batch.Count];
        await using var reader = await commands.ExecuteReaderAsync();
        await reader.ReadAsync();
        if (!reader.GetBoolean(1)) throw new RebuildingException();

        var started = new HashSet<int>();
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
        {
            var i = (int)reader.GetInt64(0) - 1;
            var proposal = batch[i];
            started.Add(i);
            if (!await reader.IsDBNullAsync(2))
                verdicts[i] = reader.GetGuid(2) == proposal.EventId ? proposal.Accepted(reader.GetInt64(3)) : proposal.VersionConflict();
            else if (reader.GetInt64(1) != proposal.ExpectedVersion)
                verdicts[i] = proposal.VersionConflict();
        }
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
        {
            var i = (int)reader.GetInt64(0) - 1;
            if (verdicts[i] is { Outcome: VerdictOutcome.Accepted }) continue;
            if (batch[i].Named && reader.GetGuid(1) == batch[i].EventId) verdicts[i] = batch[i].NotUnique(reader.GetString(2));
            else if (batch[i].Once) verdicts[i] ??= batch[i].VersionConflict();
        }
        for (var i = 0; i < batch.Count; i++)
            if (batch[i].ExpectedVersion > 0 && !started.Contains(i)) verdicts[i] ??= batch[i].VersionConflict();
        return verdicts;

        NpgsqlBatchCommand Ids(string sql)
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddWithValue("streams", batch.Select(p => p.StreamId).ToArray());
            command.Parameters.AddWithValue("versions", batch.Select(p => p.ExpectedVersion).ToArray());
            return command;
        }
    }

    /// <summary>Makes the claims of all <paramref name="proposals"/>. Null for those that got all they claim.</summary>
    /// <param name="again">A twin was looked for and not found: whatever holds the value is no twin.</param>
    /// <exception cref="MixedBatchException">What was asked cannot be decided together with others; nothing of it may be kept.</exception>
    public async Task<Verdict?[]> ClaimAsync(IReadOnlyList<Proposal> proposals, bool again)
    {
        var verdicts = new Verdict?[proposals.Count];
        if (proposals.Count == 0) return verdicts;
        // Many at once can be told apart only where each claims one new value for a stream of its own. The rest is rare, and gets its own transaction.
        if (proposals.Any(p => p.Claims is not [{ Action: ClaimAction.Create }]) || proposals.DistinctBy(p => p.StreamId).Count() < proposals.Count)
        {
            if (proposals.Count > 1) throw new MixedBatchException();
            verdicts[0] = await ClaimAloneAsync(proposals[0], again);
            return verdicts;
        }

        var won = new HashSet<Guid>();
        // In order of value, so that two instances with the same values wait for each other instead of deadlocking.
        await using var command = new NpgsqlCommand("""
            insert into uniqueness.claims (name, value, stream_id)
            select * from unnest(@names, @values, @streams) as c(name, value, stream_id) order by name, value
            on conflict do nothing returning stream_id
            """, connection);
        command.Parameters.AddWithValue("names", proposals.Select(p => p.Claims[0].Constraint).ToArray());
        command.Parameters.AddWithValue("values", proposals.Select(p => p.Claims[0].Value!).ToArray());
        command.Parameters.AddWithValue("streams", proposals.Select(p => p.StreamId).ToArray());
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) won.Add(reader.GetGuid(0));
        await reader.DisposeAsync();
        for (var i = 0; i < proposals.Count; i++)
            if (!won.Contains(proposals[i].StreamId)) verdicts[i] = proposals[i].NotUnique(proposals[i].Claims[0].Constraint);
        if (!again) await LookForTwinsAsync([.. proposals.Where((_, i) => verdicts[i] is not null)]);
        return verdicts;
    }

    /// <exception cref="TwinException">One of those who did not get their value has it already.</exception>
    private async Task LookForTwinsAsync(IReadOnlyList<Proposal> losers)
    {
        if (losers.Count == 0) return;
        await using var command = new NpgsqlCommand("""
            select 1 from unnest(@names, @values, @streams) as p(name, value, stream_id)
            join uniqueness.claims c on c.name = p.name and c.value = p.value and c.stream_id = p.stream_id limit 1
            """, connection);
        var claims = losers.SelectMany(p => p.Claims.Where(c => c.Action != ClaimAction.Delete).Select(c => (Claim: c, p.StreamId))).ToList();
        command.Parameters.AddWithValue("names", claims.ConvertAll(c => c.Claim.Constraint));
        command.Parameters.AddWithValue("values", claims.ConvertAll(c => c.Claim.Value!));
        command.Parameters.AddWithValue("streams", claims.ConvertAll(c => c.StreamId));
        if (await command.ExecuteScalarAsync() is not null) throw new TwinException();
    }

    /// <summary>All or nothing: on a conflict what this proposal had claimed before it is taken back.</summary>
    private async Task<Verdict?> ClaimAloneAsync(Proposal proposal, bool again)
    {
        await ExecuteAsync("savepoint before_claims");
        foreach (var claim in proposal.Claims.OrderBy(c => c.Constraint, StringComparer.Ordinal))
        {
            if (await ApplyAsync(proposal, claim) is not { } refused) continue;
            await ExecuteAsync("rollback to savepoint before_claims");
            if (refused.Outcome == VerdictOutcome.NotUnique && !again) await LookForTwinsAsync([proposal]);
            return refused;
        }
        return null;
    }

    private async Task<Verdict?> ApplyAsync(Proposal proposal, Claim claim)
    {
        var text = claim.Action switch
        {
            ClaimAction.Create => "insert into uniqueness.claims (name, value, stream_id) values (@name, @value, @stream) on conflict do nothing",
            ClaimAction.Delete => "delete from uniqueness.claims where name = @name and stream_id = @stream and value = coalesce(@value, value)",
            // The old value must be this stream's; the new one may be the same, spelled differently.
            _ => """
                with given_up as (delete from uniqueness.claims where name = @name and value = @from and stream_id = @stream and @from <> @value returning 1),
                     held as (select from uniqueness.claims where name = @name and value = @from and stream_id = @stream and @from = @value)
                select (select count(*) from given_up) + (select count(*) from held)
                """,
        };
        await using var command = new NpgsqlCommand(text, connection);
        command.Parameters.AddWithValue("name", claim.Constraint);
        command.Parameters.Add(new NpgsqlParameter("value", NpgsqlDbType.Text) { Value = (object?)claim.Value ?? DBNull.Value });
        command.Parameters.AddWithValue("stream", proposal.StreamId);
        if (claim.Action == ClaimAction.Update)
        {
            command.Parameters.AddWithValue("from", claim.From!);
            if ((long)(await command.ExecuteScalarAsync())! == 0) return proposal.VersionConflict();
            return claim.From == claim.Value ? null : await ApplyAsync(proposal, claim with { Action = ClaimAction.Create });
        }
        var rows = await command.ExecuteNonQueryAsync();
        if (rows > 0 || claim.Value is null) return null;
        // Who gives up a value that it does not hold has decided on an old state.
        return claim.Action == ClaimAction.Create ? proposal.NotUnique(claim.Constraint) : proposal.VersionConflict();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>These proposals cannot share a transaction.</summary>
internal sealed class MixedBatchException : Exception;

/// <summary>The same proposal was committed by another instance meanwhile; nothing of this one may be kept.</summary>
internal sealed class TwinException : Exception;
