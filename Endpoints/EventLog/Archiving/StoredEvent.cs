using System.Data.Common;
using System.Runtime.CompilerServices;
using Npgsql;

namespace Signup.EventLog.Archiving;

/// <summary>An event as the log has it, byte for byte: in the shape in which it was appended, and sealed (see <see cref="PersonalData"/>). So who has a copy knows no more than the log says without its keys.</summary>
/// <param name="At">UTC, in whole microseconds.</param>
/// <param name="Data">JSON as the database writes it; null where it was dropped (see <see cref="DroppedEvents"/>).</param>
/// <param name="Headers">JSON; null where it has none, or was dropped. See <see cref="Cause"/>.</param>
public sealed record StoredEvent(long Position, Guid StreamId, long Version, Guid EventId, string Type, DateTime At, string? Data, string? Headers)
{
    /// <summary>In the order in which <see cref="Read"/> has them, of events <c>e</c>.</summary>
    internal const string Columns = "e.seq_id, e.stream_id, e.version, e.id, e.type, e.timestamp, e.data::text, e.headers::text";

    /// <summary>How many columns that are.</summary>
    internal const int Count = 8;

    /// <summary>The events of a range of positions that is final, in order, dropped or not: see <see cref="LogReader.FinalAsync"/>.</summary>
    public static async IAsyncEnumerable<StoredEvent> ReadAsync(NpgsqlConnection connection, long first, long last, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select {Columns} from {LogStore.Events} e where e.seq_id between $1 and $2 order by e.seq_id", connection)
        {
            CommandTimeout = 0, Parameters = { new NpgsqlParameter<long> { TypedValue = first }, new NpgsqlParameter<long> { TypedValue = last } },
        };
        await using var row = await command.ExecuteReaderAsync(cancellation);
        while (await row.ReadAsync(cancellation)) yield return Read(row);
    }

    internal static StoredEvent Read(DbDataReader row) =>
        new(row.GetInt64(0), row.GetGuid(1), row.GetInt64(2), row.GetGuid(3), row.GetString(4), DateTime.SpecifyKind(row.GetDateTime(5), DateTimeKind.Utc), row.IsDBNull(6) ? null : row.GetString(6), row.IsDBNull(7) ? null : row.GetString(7));
}
