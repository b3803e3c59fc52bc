using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using Signup.EventLog;
using Signup.Hosting.Commands;

namespace Signup.Query.Commands;

/// <summary>
/// Loads exported events into an empty log, with their positions, versions and times as they were. All or nothing.
/// No message is published. From its first event on nobody claims a value, until all that the log holds is claimed (<see cref="ClaimsFence"/>). Nobody gets a mail for what is long over; who still waits for one gets it, since Mail follows the log.
/// </summary>
public sealed class Import(NpgsqlDataSource database, ProgressBar progress)
{
    public static readonly Command Command = new("import", "--from FILE", "Loads exported events into an empty system.", async (line, cancellation) =>
    {
        var file = line.Required("from");
        await using var database = line.OpenDatabase();
        using var progress = ProgressBar.OnConsole("events");
        var count = await new Import(database, progress).RunAsync(() => File.OpenText(file), cancellation);
        progress.Dispose();
        Console.WriteLine($"{count:N0} events are in the log. Query and Mail take them in by themselves. No sign-up is decided until './run Uniqueness rebuild' has claimed their addresses.");
        return 0;
    });

    /// <param name="IsPersonal">There is something personal in it.</param>
    private sealed record StreamSpan(long Version, DateTimeOffset First, DateTimeOffset Last, bool IsPersonal);

    /// <param name="open">Opens the lines; they are read twice.</param>
    /// <returns>How many events were loaded.</returns>
    /// <exception cref="FormatException">A line is no event, or is out of order. Names the line.</exception>
    /// <exception cref="InvalidOperationException">The log is not empty.</exception>
    public async Task<long> RunAsync(Func<TextReader> open, CancellationToken cancellation)
    {
        var streams = new Dictionary<Guid, StreamSpan>();
        var (count, position) = (0L, 0L);
        using (var reader = open())
        {
            await foreach (var (number, e) in ReadAsync(reader, cancellation))
            {
                var span = streams.GetValueOrDefault(e.StreamId);
                if (e.Position <= position) throw new FormatException($"Line {number}: position {e.Position} does not come behind {position}.");
                if (e.Version != (span?.Version ?? 0) + 1) throw new FormatException($"Line {number}: version {e.Version} of {e.StreamId} does not come behind {span?.Version ?? 0}.");
                streams[e.StreamId] = new StreamSpan(e.Version, span?.First ?? e.At, e.At, (span?.IsPersonal ?? false) || EventTypes.Find(e.Type) is { IsPersonal: true });
                position = e.Position;
                count++;
            }
        }

        if (count == 0) return 0;
        await LogStore.CreateAsync(database, cancellation);
        await ClaimsFence.CreateAsync(database, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ClaimsFence.RaiseAsync(connection, cancellation);
        // Whoever appends comes by here first.
        await connection.ExecuteAsync($"lock table {LogStore.Schema}.mt_streams in exclusive mode");
        if (await connection.ExecuteScalarAsync<bool>($"select exists (select from {LogStore.Events})"))
            throw new InvalidOperationException("The log is not empty; a history is imported into an empty system only.");
        await CopyStreamsAsync(connection, streams, cancellation);
        var seals = await PersonalKeys.TakeAsync(connection, streams.Where(s => s.Value.IsPersonal).Select(s => s.Key), cancellation);
        using (var reader = open()) await PersonalKeys.LeaveAsync(connection, await CopyEventsAsync(connection, reader, seals, count, cancellation), cancellation);
        await connection.ExecuteAsync($"select setval('{LogStore.Schema}.mt_events_sequence', @position)", new { position });
        await transaction.CommitDurablyAsync();
        return count;
    }

    private static async Task CopyStreamsAsync(NpgsqlConnection connection, Dictionary<Guid, StreamSpan> streams, CancellationToken cancellation)
    {
        await using var copy = await connection.BeginBinaryImportAsync($"copy {LogStore.Schema}.mt_streams (id, version, timestamp, created, tenant_id, is_archived) from stdin (format binary)", cancellation);
        foreach (var (id, span) in streams)
            await copy.WriteRowAsync(cancellation, id, span.Version, span.Last.ToUniversalTime(), span.First.ToUniversalTime(), "*DEFAULT*", false);
        await copy.CompleteAsync(cancellation);
    }

    /// <returns>Streams of whom nobody is to know any more whose they are.</returns>
    private async Task<Guid[]> CopyEventsAsync(NpgsqlConnection connection, TextReader reader, Seals seals, long total, CancellationToken cancellation)
    {
        var forgotten = new List<Guid>();
        await using var copy = await connection.BeginBinaryImportAsync(
            $"copy {LogStore.Schema}.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers, is_archived) from stdin (format binary)", cancellation);
        var done = 0L;
        progress.Report(done, total);
        await foreach (var (_, e) in ReadAsync(reader, cancellation))
        {
            var (type, data) = (EventTypes.Find(e.Type), e.Data.ToJsonString(Export.Json));
            if (type is not null && PersonalData.Forgets(type, data)) forgotten.Add(e.StreamId);
            await copy.StartRowAsync(cancellation);
            await copy.WriteAsync(e.Position, cancellation);
            await copy.WriteAsync(e.EventId, cancellation);
            await copy.WriteAsync(e.StreamId, cancellation);
            await copy.WriteAsync(e.Version, cancellation);
            await copy.WriteAsync(type is { IsPersonal: true } ? seals.Seal(type, e.StreamId, data) : data, NpgsqlDbType.Jsonb, cancellation);
            await copy.WriteAsync(e.Type, NpgsqlDbType.Varchar, cancellation);
            await copy.WriteAsync(e.At.ToUniversalTime(), NpgsqlDbType.TimestampTz, cancellation);
            await copy.WriteAsync("*DEFAULT*", NpgsqlDbType.Varchar, cancellation);
            await copy.WriteAsync(type?.DotNetName ?? e.Type, NpgsqlDbType.Varchar, cancellation);
            if (e.Metadata is null) await copy.WriteNullAsync(cancellation);
            else await copy.WriteAsync(e.Metadata.ToJsonString(Export.Json), NpgsqlDbType.Jsonb, cancellation);
            await copy.WriteAsync(false, cancellation);
            progress.Report(++done, total);
        }
        await copy.CompleteAsync(cancellation);
        return [.. forgotten];
    }

    private static async IAsyncEnumerable<(long Number, ExportedEvent Event)> ReadAsync(TextReader reader, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        for (var number = 1L; await reader.ReadLineAsync(cancellation) is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            ExportedEvent? e = null;
            try
            {
                e = JsonSerializer.Deserialize<ExportedEvent>(line, Export.Json);
            }
            catch (JsonException)
            {
                // Said below, with the line's number.
            }
            if (e is null || e.StreamId == Guid.Empty || e.EventId == Guid.Empty || string.IsNullOrEmpty(e.Type) || e.Data is not JsonObject || e.At == default)
                throw new FormatException($"Line {number} is no exported event.");
            yield return (number, e);
        }
    }
}
