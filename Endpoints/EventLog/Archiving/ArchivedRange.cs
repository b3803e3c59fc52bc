using Npgsql;

namespace Signup.EventLog.Archiving;

/// <summary>A range of the log's positions whose events a file of the archive holds. What it says stands in the log's database, and in a manifest beside the file; it never changes.</summary>
/// <param name="First">The position behind the range before it, whether an event has it or not; <paramref name="Last"/> likewise.</param>
/// <param name="Events">How many events have one of its positions; there may be none.</param>
/// <param name="Bytes">The file's length.</param>
/// <param name="File">Its name in the archive.</param>
/// <param name="Sha256">Of the file, in hexadecimal digits.</param>
public sealed record ArchivedRange(long First, long Last, long Events, long Bytes, string File, string Sha256)
{
    internal const string Table = $"{LogStore.Schema}.archived";

    /// <summary>Makes the table, in the connection's transaction. The database itself refuses a range that another one overlaps, and to change one.</summary>
    /// <exception cref="InvalidOperationException">The log belongs to another role.</exception>
    internal static async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await AppendOnly.MustOwnAsync(connection, "lacks the table of what is archived", cancellation);
        await using var command = new NpgsqlCommand($"""
            create table if not exists {Table} (
                first  bigint primary key check (first > 0),
                last   bigint not null check (last >= first),
                events bigint not null,
                bytes  bigint not null,
                file   text not null,
                sha256 text not null,
                at     timestamptz not null default now(),
                exclude using gist (int8range(first, last, '[]') with &&));
            revoke update, delete, truncate on {Table} from current_user
            """, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>What a role needs that archives. SQL.</summary>
    internal static string Grants(string role) => $"grant insert on {Table} to {role};";

    /// <summary>Whether the log's table has none of its events any more; and when the last of them was appended.</summary>
    public async Task<(bool IsDropped, DateTimeOffset? Last)> StateAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            select exists (select from {DroppedEvents.Table} where seq_id between $1 and $2), (select max(timestamp) filter (where isfinite(timestamp)) from {LogStore.Events} where seq_id between $1 and $2)
            """, connection) { CommandTimeout = 0, Parameters = { new NpgsqlParameter<long> { TypedValue = First }, new NpgsqlParameter<long> { TypedValue = Last } } };
        await using var row = await command.ExecuteReaderAsync(cancellation);
        await row.ReadAsync(cancellation);
        return (row.GetBoolean(0), row.IsDBNull(1) ? null : row.GetFieldValue<DateTimeOffset>(1));
    }

    /// <summary>All there are, in order.</summary>
    public static Task<IReadOnlyList<ArchivedRange>> AllAsync(NpgsqlConnection connection, CancellationToken cancellation) => FindAsync(connection, "order by first", cancellation);

    /// <summary>The one that reaches the furthest; null where nothing is archived.</summary>
    public static async Task<ArchivedRange?> LastAsync(NpgsqlConnection connection, CancellationToken cancellation) => (await FindAsync(connection, "order by first desc limit 1", cancellation)).SingleOrDefault();

    /// <summary>Says that its file holds it, in the connection's transaction.</summary>
    /// <exception cref="PostgresException">Another range overlaps it.</exception>
    public async Task AddAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"insert into {Table} (first, last, events, bytes, file, sha256) values ($1, $2, $3, $4, $5, $6)", connection)
        {
            Parameters = { new() { Value = First }, new() { Value = Last }, new() { Value = Events }, new() { Value = Bytes }, new() { Value = File }, new() { Value = Sha256 } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static async Task<IReadOnlyList<ArchivedRange>> FindAsync(NpgsqlConnection connection, string which, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select first, last, events, bytes, file, sha256 from {Table} {which}", connection);
        var ranges = new List<ArchivedRange>();
        await using var row = await command.ExecuteReaderAsync(cancellation);
        while (await row.ReadAsync(cancellation)) ranges.Add(new(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetString(4), row.GetString(5)));
        return ranges;
    }
}

/// <summary>The archive cannot be read, or written to. The message says which file is the matter, and what to do.</summary>
public sealed class ArchiveException(string message, Exception? inner = null) : IOException(message, inner);
