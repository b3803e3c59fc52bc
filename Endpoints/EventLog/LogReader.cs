using Npgsql;

namespace Signup.EventLog;

/// <summary>An event with its place in the log.</summary>
/// <param name="Position">Place in the log's total order; ascending, with gaps.</param>
/// <param name="Version">Number within its stream, from 1.</param>
/// <param name="Type">Frozen name, see <see cref="EventTypes"/>.</param>
/// <param name="Data">The stored JSON, camelCase. May hold secrets: show <see cref="EventTypes.WithoutSecrets"/> of it.</param>
/// <param name="At">When it was appended.</param>
public sealed record LoggedEvent(long Position, Guid StreamId, long Version, Guid EventId, string Type, string Data, DateTimeOffset At);

/// <summary>
/// Reads the log in its total order and never skips an event.
/// <para>
/// Positions come from a sequence before the transaction commits, so a lower position can become visible after a higher one,
/// and a transaction that rolls back leaves a gap for ever. A reader that trusts "greater than the last position" skips events.
/// This one stops before a gap until the gap cannot be filled any more: every transaction that could have taken the
/// missing position had its transaction id before (see <see cref="LogStore"/>), so once all transactions that ran when the gap was
/// first seen have ended and it is still there, it stays. No clock is involved: a writer frozen for an hour delays readers, it does not lose an event.
/// </para>
/// </summary>
public sealed class LogReader(NpgsqlDataSource dataSource)
{
    private readonly Dictionary<long, ulong> _gaps = []; // first missing position of a gap → id of the first transaction that is too late to fill it
    private readonly Lock _lock = new();

    /// <summary>Up to <paramref name="limit"/> events behind <paramref name="after"/>, in order. Empty at the end of the log, or where the
    /// next position may still be filled by a transaction that is running: ask again.</summary>
    public async Task<IReadOnlyList<LoggedEvent>> ReadAsync(long after, int limit, CancellationToken cancellation)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellation);
        var (events, snapshot) = await QueryAsync(connection, after, limit, cancellation);
        var safe = SafePrefix(after, events, snapshot);
        return safe == events.Count ? events : events.GetRange(0, safe);
    }

    /// <summary>The highest position that any reader may know of, 0 in an empty log. Only for telling how far behind a reader is.</summary>
    public async Task<long> LastPositionAsync(CancellationToken cancellation)
    {
        await using var command = dataSource.CreateCommand($"select coalesce(max(seq_id), 0) from {LogStore.Schema}.mt_events");
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private static async Task<(List<LoggedEvent>, Snapshot)> QueryAsync(NpgsqlConnection connection, long after, int limit, CancellationToken cancellation)
    {
        // One statement, one snapshot: the events and the transactions that were running when they were read.
        const string sql = $"""
            with snapshot as materialized (select pg_current_snapshot() as s)
            select pg_snapshot_xmin(s), pg_snapshot_xmax(s),
                   e.seq_id, e.stream_id, e.version, e.id, e.type, e.data::text, e.timestamp
            from snapshot left join lateral
                 (select * from {LogStore.Schema}.mt_events where seq_id > @after order by seq_id limit @limit) e on true
            order by e.seq_id
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("after", after);
        command.Parameters.AddWithValue("limit", limit);
        var events = new List<LoggedEvent>();
        var snapshot = default(Snapshot);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            snapshot = new Snapshot(reader.GetFieldValue<ulong>(0), reader.GetFieldValue<ulong>(1));
            if (await reader.IsDBNullAsync(2, cancellation)) break;
            events.Add(new LoggedEvent(reader.GetInt64(2), reader.GetGuid(3), reader.GetInt64(4), reader.GetGuid(5),
                reader.GetString(6), reader.GetString(7), reader.GetFieldValue<DateTimeOffset>(8)));
        }
        return (events, snapshot);
    }

    /// <summary>How many of the events may be handed out.</summary>
    private int SafePrefix(long after, List<LoggedEvent> events, Snapshot snapshot)
    {
        // Nothing was running: what is missing will stay missing.
        if (snapshot.Oldest == snapshot.Next) return events.Count;
        lock (_lock)
        {
            var expected = after + 1;
            for (var i = 0; i < events.Count; i++)
            {
                if (expected < events[i].Position)
                {
                    if (!_gaps.TryGetValue(expected, out var tooLate))
                        _gaps[expected] = tooLate = snapshot.Next;
                    if (snapshot.Oldest < tooLate) return i;
                }
                expected = events[i].Position + 1;
            }
            if (events.Count > 0)
                foreach (var behind in _gaps.Keys.Where(g => g <= after).ToList()) _gaps.Remove(behind);
            return events.Count;
        }
    }

    /// <summary>Of the snapshot in which a page was read: the oldest transaction still running, and the next to start.</summary>
    private readonly record struct Snapshot(ulong Oldest, ulong Next);
}
