using Npgsql;
using Signup.EventLog;

namespace Signup.Uniqueness;

/// <summary>The SQL of one transaction over many proposals.</summary>
/// <param name="wait">For what another transaction has in hand. Otherwise whoever needs it is not decided.</param>
internal sealed class ClaimBatch(NpgsqlConnection connection, bool wait)
{
    /// <summary>How long to wait for what another transaction has in hand (of an instance frozen before its commit, for example), in milliseconds.</summary>
    private const int LockTimeout = 1000;

    /// <summary>How long the database lets this transaction keep what it has in hand while nothing is said in it, in milliseconds. It takes a few; only who is frozen takes longer, and whoever wants the same waits for that. Other transactions have longer (<see cref="LogStore"/>): they may wait for the broker, or for a mail.</summary>
    private const int IdleTimeout = 3000;

    /// <summary>Locks what the proposals touch, and reads how it stands.</summary>
    /// <exception cref="RebuildingException"/>
    public async Task<ClaimState> LookAsync(IReadOnlyList<Proposal> batch)
    {
        var claims = batch.SelectMany(p => p.Claims).ToList();
        var wanted = claims.Select(c => c.Taken).OfType<UniqueValue>().Distinct().ToList();
        var touched = claims.Select(c => c.GivenUp).OfType<UniqueValue>().Union(wanted).ToList();
        var streams = batch.Select(p => p.StreamId).ToArray();
        var begun = batch.Where(p => p.ExpectedVersion > 0).Select(p => p.StreamId).ToArray();
        await using var commands = new NpgsqlBatch(connection);
        // Locks in one order everywhere, so that two instances with the same values wait for each other instead of deadlocking. A row comes only when all have been
        // waited for: a statement that fails after its first row leaves the client in doubt what the connection has prepared, and the connection fails at each use.
        Add($"""
            select coalesce(array_agg(n) filter (where got), array[]::bigint[]) from (
                select 0 as n, set_config('lock_timeout', '{LockTimeout}', true) is not null and set_config('idle_in_transaction_session_timeout', '{IdleTimeout}', true) is not null and pg_try_advisory_xact_lock_shared({ClaimsFence.Lock}) as got
                union all
                select n, {(wait ? "pg_advisory_xact_lock(key) is not null" : "pg_try_advisory_xact_lock(key)")}
                from (select n, hashtextextended(name || ' ' || value, 0) as key from unnest($1, $2) with ordinality as w (name, value, n) order by key) w) r
            """, wanted.ConvertAll(v => v.Constraint), wanted.ConvertAll(v => v.Value));
        // Nobody else appends to these from here on, nor gives up what they hold.
        if (begun.Length > 0)
            Add($"""
                select coalesce(array_agg(id), array[]::uuid[])
                from (select id from {LogStore.Streams} where id = any($1) order by id for no key update{(wait ? "" : " skip locked")}) s
                """, begun);
        // Of a stream that has begun, all it holds: some of it may be given up, or be reserved.
        Add($"""
            select c.name, c.value, c.stream_id, null::uuid, c.until, c.until <= now() from unnest($1, $2) as v (name, value) join uniqueness.claims c on c.name = v.name and c.value = v.value
            union
            select name, value, stream_id, null::uuid, until, until <= now() from uniqueness.claims where stream_id = any($3)
            union all
            select name, null, stream_id, event_id, null, null from uniqueness.rejections where stream_id = any($4) and outcome = 'NotUnique'
            union all
            select null, null, null, null, null, null from {ClaimsFence.Table}
            """, touched.ConvertAll(v => v.Constraint), touched.ConvertAll(v => v.Value), begun, streams);
        // After the claims: whoever has its value from a twin that was committed in between finds that twin here.
        Add($"""
            select p.id, s.version, p.version, e.id, e.seq_id
            from unnest($1, $2) as p (id, version)
            join {LogStore.Streams} s on s.id = p.id
            left join {LogStore.Events} e on e.stream_id = p.id and e.version = p.version + 1
            """, streams, batch.Select(p => p.ExpectedVersion).ToArray());

        var state = new ClaimState();
        await using var reader = await commands.ExecuteReaderAsync();
        await ForEachAsync(() =>
        {
            var got = reader.GetFieldValue<long[]>(0);
            if (!got.Contains(0)) throw new RebuildingException();
            foreach (var n in got.Where(n => n > 0)) state.Lock(wanted[(int)n - 1]);
        });
        if (begun.Length > 0) await ForEachAsync(() => Array.ForEach(reader.GetFieldValue<Guid[]>(0), stream => state.Lock(stream)));
        await ForEachAsync(() =>
        {
            if (reader.IsDBNull(2)) throw new RebuildingException();
            if (reader.IsDBNull(3)) state.Holds(new(reader.GetString(0), reader.GetString(1)), new(reader.GetGuid(2), Until(4)), isOver: !reader.IsDBNull(5) && reader.GetBoolean(5));
            else state.Refused(reader.GetGuid(2), reader.GetGuid(3), reader.GetString(0));
        });
        await ForEachAsync(() =>
        {
            state.Has(reader.GetGuid(0), reader.GetInt64(1));
            if (!reader.IsDBNull(3)) state.Has(reader.GetGuid(0), reader.GetInt64(2) + 1, reader.GetGuid(3), reader.GetInt64(4));
        });
        return state;

        DateTimeOffset? Until(int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);

        void Add(string sql, params object[] arrays) => commands.BatchCommands.Add(Command(sql, arrays));

        async Task ForEachAsync(Action row)
        {
            while (await reader.ReadAsync()) row();
            await reader.NextResultAsync();
        }
    }

    /// <summary>Writes what has changed hands.</summary>
    public async Task WriteAsync(ClaimState state)
    {
        await using var commands = new NpgsqlBatch(connection);
        if (state.GivenUp() is { Count: > 0 } givenUp)
            // Not what somebody else has taken meanwhile, of what was reserved, and is over.
            commands.BatchCommands.Add(Command("delete from uniqueness.claims c using unnest($1, $2, $3) as g (name, value, stream_id) where c.name = g.name and c.value = g.value and c.stream_id = g.stream_id",
                givenUp.ConvertAll(g => g.Value.Constraint), givenUp.ConvertAll(g => g.Value.Value), givenUp.ConvertAll(g => g.Stream)));
        // Should one be there by now, written by somebody who locks nothing, the primary key refuses them all.
        if (state.Taken() is { Count: > 0 } taken)
            commands.BatchCommands.Add(Command("insert into uniqueness.claims (name, value, stream_id, until) select * from unnest($1, $2, $3, $4) as c (name, value, stream_id, until) order by name, value",
                taken.ConvertAll(c => c.Value.Constraint), taken.ConvertAll(c => c.Value.Value), taken.ConvertAll(c => c.Holding.Stream), taken.ConvertAll(c => c.Holding.Until?.ToUniversalTime())));
        if (commands.BatchCommands.Count > 0) await commands.ExecuteNonQueryAsync();
    }

    private static NpgsqlBatchCommand Command(string sql, params object[] arrays)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var array in arrays) command.Parameters.Add(new() { Value = array });
        return command;
    }
}
