using Npgsql;
using NpgsqlTypes;

namespace Signup.EventLog;

/// <summary>An event as it is put into an empty log.</summary>
/// <param name="Data">JSON, with personal texts open.</param>
/// <param name="Metadata">JSON, see <see cref="Cause"/>, or null.</param>
public sealed record ImportedEvent(long Position, Guid EventId, Guid StreamId, long Version, string Type, DateTimeOffset At, string Data, string? Metadata);

/// <param name="Version">Of its last event.</param>
/// <param name="IsPersonal">There is something personal in it.</param>
public sealed record ImportedStream(long Version, DateTimeOffset First, DateTimeOffset Last, bool IsPersonal);

/// <summary>Puts a history into an empty log, with its positions, versions and times. All or nothing.</summary>
public static class LogImport
{
    private const string Tenant = "*DEFAULT*";

    /// <param name="streams">Of all events.</param>
    /// <param name="events">In order.</param>
    /// <exception cref="InvalidOperationException">The log is not empty.</exception>
    public static async Task RunAsync(NpgsqlDataSource database, IReadOnlyDictionary<Guid, ImportedStream> streams, IAsyncEnumerable<ImportedEvent> events, CancellationToken cancellation)
    {
        await LogStore.CreateAsync(database, cancellation);
        await ClaimsFence.CreateAsync(database, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClaimsFence.RaiseAsync(connection, cancellation);
        // Whoever appends comes by here first.
        await using (var take = new NpgsqlCommand($"lock table {LogStore.Streams} in exclusive mode", connection)) await take.ExecuteNonQueryAsync(cancellation);
        await using (var look = new NpgsqlCommand($"select exists (select from {LogStore.Events})", connection))
            if ((bool)(await look.ExecuteScalarAsync(cancellation))!) throw new InvalidOperationException("The log is not empty; a history is imported into an empty system only.");
        await CopyStreamsAsync(connection, streams, cancellation);
        var seals = await PersonalKeys.TakeAsync(connection, streams.Where(s => s.Value.IsPersonal).Select(s => s.Key), cancellation);
        var (position, forgotten) = await CopyEventsAsync(connection, events, seals, cancellation);
        await PersonalKeys.LeaveAsync(connection, forgotten, cancellation);
        await using (var next = new NpgsqlCommand($"select setval('{LogStore.Schema}.mt_events_sequence', $1)", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = position } } }) await next.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitDurablyAsync();
    }

    private static async Task CopyStreamsAsync(NpgsqlConnection connection, IReadOnlyDictionary<Guid, ImportedStream> streams, CancellationToken cancellation)
    {
        await using var copy = await connection.BeginBinaryImportAsync($"copy {LogStore.Schema}.mt_streams (id, version, timestamp, created, tenant_id, is_archived) from stdin (format binary)", cancellation);
        foreach (var (id, stream) in streams)
            await copy.WriteRowAsync(cancellation, id, stream.Version, stream.Last.ToUniversalTime(), stream.First.ToUniversalTime(), Tenant, false);
        await copy.CompleteAsync(cancellation);
    }

    /// <returns>The last position, and the streams of whom nobody is to know any more whose they are.</returns>
    private static async Task<(long Position, Guid[] Forgotten)> CopyEventsAsync(NpgsqlConnection connection, IAsyncEnumerable<ImportedEvent> events, Seals seals, CancellationToken cancellation)
    {
        var (position, forgotten) = (0L, new List<Guid>());
        await using var copy = await connection.BeginBinaryImportAsync(
            $"copy {LogStore.Schema}.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers, is_archived) from stdin (format binary)", cancellation);
        await foreach (var e in events.WithCancellation(cancellation))
        {
            var type = EventTypes.Find(e.Type);
            if (type is not null && PersonalData.Forgets(type, e.Data)) forgotten.Add(e.StreamId);
            await copy.StartRowAsync(cancellation);
            await copy.WriteAsync(position = e.Position, cancellation);
            await copy.WriteAsync(e.EventId, cancellation);
            await copy.WriteAsync(e.StreamId, cancellation);
            await copy.WriteAsync(e.Version, cancellation);
            await copy.WriteAsync(type is { IsPersonal: true } ? seals.Seal(type, e.StreamId, e.Data) : e.Data, NpgsqlDbType.Jsonb, cancellation);
            await copy.WriteAsync(e.Type, NpgsqlDbType.Varchar, cancellation);
            await copy.WriteAsync(e.At.ToUniversalTime(), NpgsqlDbType.TimestampTz, cancellation);
            await copy.WriteAsync(Tenant, NpgsqlDbType.Varchar, cancellation);
            await copy.WriteAsync(type?.DotNetName ?? e.Type, NpgsqlDbType.Varchar, cancellation);
            if (e.Metadata is null) await copy.WriteNullAsync(cancellation);
            else await copy.WriteAsync(e.Metadata, NpgsqlDbType.Jsonb, cancellation);
            await copy.WriteAsync(false, cancellation);
        }
        await copy.CompleteAsync(cancellation);
        return (position, [.. forgotten]);
    }
}
