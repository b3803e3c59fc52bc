using System.CommandLine;
using System.Globalization;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Commands;
using Spectre.Console;

namespace Signup.Hosting.Following;

/// <summary>Divides a projection's accounts anew. Processes that follow the log need not be told.</summary>
public static class Partitions
{
    /// <summary>More share nothing that is worth it: each looks at the whole log's order.</summary>
    public const int Most = 64;

    private const int BatchSize = 1_000;

    /// <summary>For the program of the endpoint that keeps the projection.</summary>
    public static Command Define(Func<NpgsqlDataSource, LogReader, IProjection> projection)
    {
        var count = new Option<int?>("--count")
        {
            HelpName = "N",
            Description = $"So many processes can work on it at once; {Most} at most.",
            CustomParser = given => int.TryParse(given.Tokens[0].Value, out var number) && number is >= 1 and <= Most ? number : LogOptions.Wrong<int?>(given, $"a number from 1 to {Most}"),
        };
        return new Command("partitions", "Says where the projection stands, or divides its accounts anew.") { count }.Runs(async (given, cancellation) =>
        {
            await using var database = given.OpenDatabase();
            var log = given.OpenLog(database);
            var divided = projection(database, log);
            await divided.EnsureAsync(cancellation);
            if (given.Get(count) is { } parts) await DivideAsync(database, log, divided, parts, cancellation);
            await using var connection = await database.OpenConnectionAsync(cancellation);
            var table = new Table().Border(TableBorder.None).AddColumns("accounts", "position");
            foreach (var (partition, position) in await divided.Checkpoint.ReadAsync(connection, cancellation)) table.AddRow(partition.ToString().EscapeMarkup(), position.ToString(CultureInfo.InvariantCulture));
            AnsiConsole.Write(table);
            return 0;
        });
    }

    /// <summary>Brings all partitions to where the first of them is, and puts others in their place: in one transaction, for which those who follow the log wait.</summary>
    /// <exception cref="InvalidOperationException">A newer version of the code keeps the projection.</exception>
    public static async Task DivideAsync(NpgsqlDataSource database, LogReader log, IProjection projection, int count, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var checkpoint = projection.Checkpoint;
        var partitions = await checkpoint.HoldAsync(connection, cancellation);
        await using (var command = new NpgsqlCommand(checkpoint.Lowest, connection))
        {
            if (await command.ExecuteScalarAsync(cancellation) is not long) throw new InvalidOperationException($"A newer version of the code keeps {projection.Name}: its program is the one to ask.");
        }
        var first = partitions.Max(p => p.Position);
        foreach (var (partition, position) in partitions)
        {
            await foreach (var events in log.ReadRangeAsync(connection, partition, position, first, BatchSize, cancellation))
                await projection.ApplyAsync(connection, new Stretch(partition, position, events[^1].Position, events, IsFull: false, Waits: false), cancellation);
        }
        await checkpoint.ReplaceAsync(connection, Partition.Divide(count), first, cancellation);
        await transaction.CommitAsync(cancellation);
        projection.Applied();
    }
}
