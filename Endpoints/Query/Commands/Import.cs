using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Commands;

namespace Signup.Query.Commands;

/// <summary>
/// Loads exported events into an empty log, with their positions, versions and times as they were. All or nothing.
/// No message is published. From its first event on nobody claims a value, until all that the log holds is claimed (<see cref="ClaimsFence"/>). Nobody gets a mail for what is long over; who still waits for one gets it, since Mail follows the log.
/// </summary>
public sealed class Import(NpgsqlDataSource database, IProgress<Done> progress)
{
    public static Command Define()
    {
        var from = new Option<string>("--from") { HelpName = "FILE", Description = "As export has written it.", Required = true };
        return new Command("import", "Loads exported events into an empty system.") { from }.Runs(async (given, cancellation) =>
        {
            await using var database = given.OpenDatabase();
            var count = await ProgressBar.ShowAsync("events", progress => new Import(database, progress).RunAsync(() => File.OpenText(given.Get(from)!), cancellation));
            Console.WriteLine($"{count:N0} events are in the log. Query and Mail take them in by themselves. No sign-up is decided until './run Uniqueness rebuild' has claimed their addresses.");
            return 0;
        });
    }

    /// <param name="open">Opens the lines; they are read twice.</param>
    /// <returns>How many events were loaded.</returns>
    /// <exception cref="FormatException">A line is no event, or is out of order. Names the line.</exception>
    /// <exception cref="InvalidOperationException">The log is not empty.</exception>
    public async Task<long> RunAsync(Func<TextReader> open, CancellationToken cancellation)
    {
        var streams = new Dictionary<Guid, ImportedStream>();
        var (count, position) = (0L, 0L);
        using (var reader = open())
        {
            await foreach (var (number, e) in ReadAsync(reader, cancellation))
            {
                var stream = streams.GetValueOrDefault(e.StreamId);
                if (e.Position <= position) throw new FormatException($"Line {number}: position {e.Position} does not come behind {position}.");
                if (e.Version != (stream?.Version ?? 0) + 1) throw new FormatException($"Line {number}: version {e.Version} of {e.StreamId} does not come behind {stream?.Version ?? 0}.");
                streams[e.StreamId] = new ImportedStream(e.Version, stream?.First ?? e.At, e.At, (stream?.IsPersonal ?? false) || EventTypes.Find(e.Type) is { IsPersonal: true });
                position = e.Position;
                count++;
            }
        }

        if (count == 0) return 0;
        using (var reader = open()) await LogImport.RunAsync(database, streams, ImportedAsync(reader, count, cancellation), cancellation);
        return count;
    }

    private async IAsyncEnumerable<ImportedEvent> ImportedAsync(TextReader reader, long total, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var done = 0L;
        progress.Report(new(done, total));
        await foreach (var (_, e) in ReadAsync(reader, cancellation))
        {
            yield return new ImportedEvent(e.Position, e.EventId, e.StreamId, e.Version, e.Type, e.At, e.Data.ToJsonString(Export.Json), e.Metadata?.ToJsonString(Export.Json));
            progress.Report(new(++done, total));
        }
    }

    private static async IAsyncEnumerable<(long Number, ExportedEvent Event)> ReadAsync(TextReader reader, [EnumeratorCancellation] CancellationToken cancellation)
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
