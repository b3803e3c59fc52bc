using Npgsql;
using NpgsqlTypes;

namespace Signup.EventLog.Archiving;

/// <summary>
/// Events of archived ranges that were taken out of the log's table. What they say is in the archive's files alone; that they are there, and where, is not: position, stream, version, id, kind and time stay in the table
/// <c>log.dropped</c>, and the view <c>log.events</c> shows both as one. So whatever asks the log which events there are gets the same answer as before, in one snapshot, and nothing knows of a seam but for who reads what they say
/// (<see cref="LogArchive"/>).
/// </summary>
public static class DroppedEvents
{
    internal const string Table = $"{LogStore.Schema}.dropped";

    private const string Columns = "seq_id, id, stream_id, version, type, timestamp";

    /// <summary>Makes table and view, in the connection's transaction.</summary>
    /// <exception cref="InvalidOperationException">The log belongs to another role.</exception>
    internal static async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await AppendOnly.MustOwnAsync(connection, "keeps all events in one table", cancellation);
        await using var command = new NpgsqlCommand($"""
            create table if not exists {Table} (
                seq_id    bigint primary key,
                id        uuid not null,
                stream_id uuid not null,
                version   bigint not null,
                type      varchar(500) not null,
                timestamp timestamptz not null,
                unique (stream_id, version));
            {View($"create or replace view {LogStore.Events}", "null::jsonb, null::jsonb", "")};
            revoke insert, update, delete, truncate on {Table} from current_user
            """, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>SQL that makes a view of all events.</summary>
    /// <param name="said">Data and headers of those that were dropped, of <paramref name="join"/>.</param>
    internal static string View(string create, string said, string join) => $"""
        {create} as
            select {Columns}, data, headers from {AppendOnly.Events}
            union all
            select {Columns}, {said} from {Table} {join}
        """;

    /// <summary>What is left of them, in order.</summary>
    internal static async Task<IReadOnlyList<StoredEvent>> ReadAsync(NpgsqlConnection connection, long after, int limit, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select seq_id, stream_id, version, id, type, timestamp, null, null from {Table} where seq_id > $1 order by seq_id limit $2", connection)
        {
            Parameters = { new NpgsqlParameter<long> { TypedValue = after }, new NpgsqlParameter<int> { TypedValue = limit } },
        };
        var events = new List<StoredEvent>();
        await using var row = await command.ExecuteReaderAsync(cancellation);
        while (await row.ReadAsync(cancellation)) events.Add(StoredEvent.Read(row));
        return events;
    }

    /// <summary>Takes a range's events out of the log's table, in the connection's transaction. They must be in the archive: see <see cref="ArchiveTarget"/>.</summary>
    /// <param name="connection">Signed in as the role that owns the log.</param>
    /// <returns>How many there were.</returns>
    public static Task<long> DropAsync(NpgsqlConnection connection, ArchivedRange range, CancellationToken cancellation) => WithAsync("delete", AppendOnly.Events, connection, () => WithAsync("insert", Table, connection, async () =>
    {
        await using var command = new NpgsqlCommand($"""
            with gone as (delete from {AppendOnly.Events} where seq_id between $1 and $2 returning {Columns})
            insert into {Table} ({Columns}) select {Columns} from gone order by seq_id
            """, connection) { CommandTimeout = 0, Parameters = { new NpgsqlParameter<long> { TypedValue = range.First }, new NpgsqlParameter<long> { TypedValue = range.Last } } };
        return await command.ExecuteNonQueryAsync(cancellation);
    }, cancellation), cancellation);

    /// <summary>Puts events back into the log's table, in the connection's transaction.</summary>
    /// <param name="connection">Signed in as the role that owns the log.</param>
    /// <param name="events">As the archive has them, some thousands at a time; those among them that were not dropped are left as they are.</param>
    /// <returns>How many were put back.</returns>
    public static Task<long> RestoreAsync(NpgsqlConnection connection, IAsyncEnumerable<IReadOnlyList<StoredEvent>> events, CancellationToken cancellation) => WithAsync("delete", Table, connection, async () =>
    {
        var count = 0L;
        await foreach (var part in events) count += await RestoreAsync(connection, part, cancellation);
        return count;
    }, cancellation);

    private static async Task<long> RestoreAsync(NpgsqlConnection connection, IReadOnlyList<StoredEvent> events, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            with back as (delete from {Table} d using unnest($1) as w (position) where d.seq_id = w.position returning d.*)
            insert into {AppendOnly.Events} ({Columns}, data, headers, mt_dotnet_type, tenant_id, is_archived)
            select {string.Join(", ", Columns.Split(", ").Select(c => $"b.{c}"))}, w.data, w.headers, w.dotnet_type, '*DEFAULT*', false
            from back b join unnest($1, $2, $3, $4) as w (position, data, headers, dotnet_type) on w.position = b.seq_id
            """, connection) { CommandTimeout = 0 };
        command.Parameters.Add(new() { Value = events.Select(e => e.Position).ToArray() });
        command.Parameters.Add(new() { Value = events.Select(e => e.Data).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
        command.Parameters.Add(new() { Value = events.Select(e => e.Headers).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
        command.Parameters.Add(new() { Value = events.Select(e => EventTypes.Find(e.Type)?.DotNetName ?? e.Type).ToArray() });
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Has the server forget rows that were moved: their room is for events to come, and a reader need not go past them.</summary>
    /// <param name="owner">Signs in as the role that owns the log.</param>
    public static async Task TidyAsync(NpgsqlDataSource owner, CancellationToken cancellation)
    {
        await using var command = owner.CreateCommand($"vacuum (analyze) {AppendOnly.Events}, {Table}");
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Nobody may do so, nor its owner, but for this transaction: others never see it granted. All have their statements planned anew after it, which a table needs that was empty when they were planned.</summary>
    private static async Task<long> WithAsync(string privilege, string on, NpgsqlConnection connection, Func<Task<long>> act, CancellationToken cancellation)
    {
        await ExecuteAsync($"grant {privilege} on {on} to current_user");
        var count = await act();
        await ExecuteAsync($"revoke {privilege} on {on} from current_user");
        return count;

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancellation);
        }
    }
}
