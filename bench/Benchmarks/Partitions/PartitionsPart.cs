using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Signup.Bench.Rebuild;
using Signup.EventLog;
using Signup.Hosting.Following;
using Signup.Query.Projection;
using Signup.Statistics;
using Signup.Tests.Fixture;

namespace Signup.Bench.Partitions;

/// <summary>A log is taken in by as many followers as the projection has partitions: by one that stores nothing, which is what reading, order and checkpoints cost alone; by Statistics and Query, which use the
/// processors up; and by one whose store takes a millisecond an event, and does nothing meanwhile.</summary>
internal static class PartitionsPart
{
    private const string Part = "partitions";

    private static readonly int[] Counts = [1, 2, 4];

    public static async Task RunAsync(Figures figures, Options options)
    {
        var events = options.Scaled(200_000);
        var connectionString = (await Parts.CreateAsync("partitions")).Postgres;
        await RebuildPart.SeedAsync(connectionString, events);
        await using var database = LogStore.Connect(connectionString);
        await CompareAsync("nothing is stored", events, () => new Storing(database, "nothing", TimeSpan.Zero));
        await CompareAsync("Statistics", events, () => new DailyStatistics(database));
        await CompareAsync("Query", events, () => new ReadModel(database, new LogReader(database)));
        var slow = await CompareAsync("a store that takes 1 ms an event", events / 20, () => new Storing(database, "slow", TimeSpan.FromMilliseconds(1), after: events - (events / 20)));
        figures.AtLeast(Part, "a store that takes 1 ms an event, 4 partitions ÷ 1", slow, 3.5);

        async Task<double> CompareAsync<TProjection>(string what, int count, Func<TProjection> projection) where TProjection : IProjection
        {
            var rates = new List<double>();
            foreach (var partitions in Counts)
            {
                // The first time, code is compiled, and the log comes into memory.
                if (rates.Count == 0) await RunOneAsync(database, projection(), partitions);
                rates.Add(count / await RunOneAsync(database, projection(), partitions));
                figures.Add(Part, $"{what}, {partitions} {(partitions == 1 ? "partition" : "partitions")}", rates[^1], "events/s");
            }
            return rates[^1] / rates[0];
        }
    }

    /// <returns>Seconds.</returns>
    private static async Task<double> RunOneAsync<TProjection>(NpgsqlDataSource database, TProjection projection, int partitions) where TProjection : IProjection
    {
        await using (var drop = database.CreateCommand("drop schema if exists query, statistics, store cascade")) await drop.ExecuteNonQueryAsync();
        await projection.EnsureAsync(CancellationToken.None);
        var log = new LogReader(database);
        await Hosting.Following.Partitions.DivideAsync(database, log, projection, partitions, CancellationToken.None);
        var end = await log.LastPositionAsync(CancellationToken.None);
        var followers = Enumerable.Range(0, partitions).Select(_ => new LogFollower<TProjection>(projection, database, new LogReader(database), new WakeUp(), NullLogger<LogFollower<TProjection>>.Instance)).ToList();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(followers.Select(f => f.StartAsync(CancellationToken.None)));
        await Wait.UntilAsync(async () =>
        {
            await using var lowest = database.CreateCommand(projection.Checkpoint.Lowest);
            return (long)(await lowest.ExecuteScalarAsync())! >= end;
        }, "all is taken in", TimeSpan.FromMinutes(10));
        watch.Stop();
        foreach (var follower in followers)
        {
            await follower.StopAsync(CancellationToken.None);
            follower.Dispose();
        }
        return watch.Elapsed.TotalSeconds;
    }

    /// <summary>Moves its checkpoint, and takes so long for it.</summary>
    private sealed class Storing(NpgsqlDataSource database, string name, TimeSpan anEvent, long after = 0) : IProjection
    {
        public string Name => name;

        public Checkpoint Checkpoint { get; } = new("store.checkpoint", IsDivided: true);

        public async Task EnsureAsync(CancellationToken cancellation)
        {
            await using var command = database.CreateCommand($"""
                create schema if not exists store;
                create table if not exists store.checkpoint ({Checkpoint.Columns});
                insert into store.checkpoint (low, high, position) select 0, 65535, {after} where not exists (select from store.checkpoint)
                """);
            await command.ExecuteNonQueryAsync(cancellation);
        }

        public async Task ApplyAsync(NpgsqlConnection connection, Stretch next, CancellationToken cancellation)
        {
            if (anEvent > TimeSpan.Zero) await Task.Delay(anEvent * next.Events.Count, cancellation);
            await Checkpoint.MoveAsync(connection, next.Partition, next.UpTo, cancellation);
        }
    }
}
