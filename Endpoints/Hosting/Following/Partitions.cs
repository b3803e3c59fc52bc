using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Commands;

namespace Signup.Hosting.Following;

/// <summary>Divides a projection's accounts anew. Processes that follow the log need not be told.</summary>
public static class Partitions
{
    /// <summary>More share nothing that is worth it: each looks at the whole log's order.</summary>
    public const int Most = 64;

    private const int BatchSize = 1_000;

    /// <summary>For the program of the endpoint that keeps the projection.</summary>
    public static Command Command(Func<NpgsqlDataSource, LogReader, IProjection> projection) =>
        new("partitions", "[--count N]", "Says where the projection stands, or divides its accounts anew: so many processes can work on it at once.", async (line, cancellation) =>
        {
            var count = line["count"] is not { } text ? (int?)null
                : int.TryParse(text, out var number) && number is >= 1 and <= Most ? number : throw new UsageException($"--count must be a number from 1 to {Most}.");
            await using var database = line.OpenDatabase();
            var log = line.OpenLog(database);
            var divided = projection(database, log);
            await divided.EnsureAsync(cancellation);
            if (count is not null) await DivideAsync(database, log, divided, count.Value, cancellation);
            await using var connection = await database.OpenConnectionAsync(cancellation);
            Console.WriteLine("accounts   position");
            foreach (var (partition, position) in await divided.Checkpoint.ReadAsync(connection, cancellation)) Console.WriteLine($"{partition}  {position}");
            return 0;
        });

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
