using Npgsql;
using NpgsqlTypes;

namespace Signup.EventLog;

/// <summary>Makes the keys to what is personal in the log, and seals with them, once, what an earlier version has written as it is. It is the one time that something in the log is replaced: it says the same
/// after it, to whoever has the keys.</summary>
internal static class Sealing
{
    private const int BatchSize = 5_000;

    /// <summary>In the connection's transaction: the keys are there only together with a log that is sealed.</summary>
    /// <exception cref="InvalidOperationException">The log belongs to another role; or it is sealed already, and its keys are lost.</exception>
    public static async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await AppendOnly.MustOwnAsync(connection, "does not seal what is personal in it", cancellation);
        await PersonalKeys.CreateAsync(connection, cancellation);
        await ExecuteAsync(connection, $"grant update on {AppendOnly.Events} to current_user; lock table {AppendOnly.Events} in share row exclusive mode", cancellation);
        for (var after = 0L; ;)
        {
            var events = await ReadAsync(connection, after, cancellation);
            if (events.Count == 0) return;
            after = events[^1].Position;
            if (events.Find(e => PersonalData.IsSealed(e.Type, e.Data)) is { Stream: var lost } && lost != Guid.Empty)
                throw new InvalidOperationException($"The log is sealed, as of {lost}, and the schema '{PersonalKeys.Schema}', which has its keys, is missing: bring that back from a backup of the database. Nothing was changed.");
            var seals = await PersonalKeys.TakeAsync(connection, events.Select(e => e.Stream), cancellation);
            await using var replace = new NpgsqlCommand($"update {AppendOnly.Events} e set data = s.data from unnest($1, $2) as s (position, data) where e.seq_id = s.position", connection) { CommandTimeout = 0 };
            replace.Parameters.Add(new() { Value = events.ConvertAll(e => e.Position) });
            replace.Parameters.Add(new() { Value = events.ConvertAll(e => seals.Seal(e.Type, e.Stream, e.Data)), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
            await replace.ExecuteNonQueryAsync(cancellation);
        }
    }

    private static async Task<List<(long Position, Guid Stream, EventType Type, string Data)>> ReadAsync(NpgsqlConnection connection, long after, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select e.seq_id, e.stream_id, e.type, e.data::text from {AppendOnly.Events} e where e.seq_id > $1 and {StoredEvents.ArePersonal} order by e.seq_id limit {BatchSize}", connection)
        {
            Parameters = { new NpgsqlParameter<long> { TypedValue = after } }, CommandTimeout = 0,
        };
        var events = new List<(long, Guid, EventType, string)>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) events.Add((reader.GetInt64(0), reader.GetGuid(1), EventTypes.Find(reader.GetString(2))!, reader.GetString(3)));
        return events;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
