using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Signup.EventLog;

/// <summary>An event that is to be appended.</summary>
/// <param name="ExpectedVersion">How many events its stream has before it; null: however many.</param>
/// <param name="Data">JSON, with personal texts as they are: they are sealed when it is appended.</param>
public sealed record NewEvent(Guid StreamId, long? ExpectedVersion, Guid EventId, EventType Type, string Data, Cause Cause)
{
    public static NewEvent Of(Guid streamId, long? expectedVersion, object happened, Cause cause)
    {
        var type = EventTypes.Of(happened);
        return new(streamId, expectedVersion, Guid.CreateVersion7(), type, JsonSerializer.Serialize(happened, type.Stored, LogJson.Options), cause);
    }
}

/// <summary>Somebody else has appended to the stream in the meantime: load and decide again.</summary>
public sealed class StreamMovedOnException(Guid streamId) : Exception($"The stream {streamId} is not at the expected version.")
{
    public Guid StreamId => streamId;
}

/// <summary>Appends events, however many, with one statement. Rows are as Marten writes them, so whatever reads a log of Marten's reads them.</summary>
public static class Appending
{
    /// <summary>In the connection's transaction, which must not be kept when this throws.</summary>
    /// <returns>Their positions, in the order of <paramref name="events"/>.</returns>
    /// <exception cref="StreamMovedOnException"/>
    public static async Task<long[]> AppendAsync(NpgsqlConnection connection, IReadOnlyList<NewEvent> events, CancellationToken cancellation = default)
    {
        if (events.Count == 0) return [];
        var data = await SealAsync(connection, events, cancellation);
        // Streams in one order everywhere, so that two appenders wait for each other rather than deadlock.
        const string sql = $"""
            with streams as (
                insert into {LogStore.Schema}.mt_streams as s (id, version, timestamp, tenant_id)
                select id, added, now(), '*DEFAULT*' from unnest($1, $2) as n (id, added) order by id
                on conflict (id) do update set version = s.version + excluded.version, timestamp = excluded.timestamp
                returning s.id, s.version)
            insert into {LogStore.Schema}.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers, is_archived)
            select nextval('{LogStore.Schema}.mt_events_sequence'), e.id, e.stream_id, e.last - e.follow, e.data, e.type, now(), '*DEFAULT*', e.dotnet_type, e.headers, false
            from (select e.*, s.version as last from unnest($3, $4, $5, $6, $7, $8, $9) with ordinality as e (id, stream_id, follow, data, type, dotnet_type, headers, n)
                  join streams s on s.id = e.stream_id order by n) e
            returning seq_id, version
            """;
        var (added, follow) = (new Dictionary<Guid, long>(), new long[events.Count]);
        for (var i = events.Count - 1; i >= 0; i--)
        {
            follow[i] = added.GetValueOrDefault(events[i].StreamId);
            added[events[i].StreamId] = follow[i] + 1;
        }
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                Values(added.Keys.ToArray()), Values(added.Values.ToArray()),
                Values(Of(e => e.EventId)), Values(Of(e => e.StreamId)), Values(follow), Json(data),
                Values(Of(e => e.Type.Name)), Values(Of(e => e.Type.DotNetName)), Json(Of(e => e.Cause.Headers)),
            },
        };
        var positions = new long[events.Count];
        await using (var reader = await command.ExecuteReaderAsync(cancellation))
        {
            for (var i = 0; await reader.ReadAsync(cancellation); i++)
            {
                positions[i] = reader.GetInt64(0);
                if (events[i].ExpectedVersion is { } expected && reader.GetInt64(1) != expected + 1) throw new StreamMovedOnException(events[i].StreamId);
            }
        }
        await PersonalKeys.LeaveAsync(connection, [.. events.Where(e => PersonalData.Forgets(e.Type, e.Data)).Select(e => e.StreamId)], cancellation);
        return positions;

        T[] Of<T>(Func<NewEvent, T> part) => [.. events.Select(part)];
        static NpgsqlParameter Values<T>(T[] values) => new NpgsqlParameter<T[]> { TypedValue = values };
        static NpgsqlParameter Json(string?[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb };
    }

    /// <returns>The events' JSON as it is stored.</returns>
    private static async Task<string[]> SealAsync(NpgsqlConnection connection, IReadOnlyList<NewEvent> events, CancellationToken cancellation)
    {
        if (!events.Any(e => e.Type.IsPersonal)) return [.. events.Select(e => e.Data)];
        var seals = await PersonalKeys.TakeAsync(connection, events.Where(e => e.Type.IsPersonal).Select(e => e.StreamId), cancellation);
        return [.. events.Select(e => e.Type.IsPersonal ? seals.Seal(e.Type, e.StreamId, e.Data) : e.Data)];
    }
}
