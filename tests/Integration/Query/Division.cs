using Dapper;
using FsCheck;
using FsCheck.Fluent;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Following;

namespace Signup.Tests.Integration.Query;

/// <summary>Writers append to accounts and commit late, out of order, or not at all; processes take events in, side by side, and die before they have committed; and the accounts are divided anew in between.</summary>
internal static class Division
{
    private const int Writers = 3, Processes = 3;

    private static int _count;

    private enum Step { Begin, Append, Commit, Rollback, Take, Keep, Die, Divide }

    /// <summary>However it goes, each event is taken in once, and those of an account in their order.</summary>
    public static Property Any(LogDatabase log, Func<LogReader> reader)
    {
        var step = from what in Gen.Frequency(
                       (3, Gen.Constant(Step.Begin)), (6, Gen.Constant(Step.Append)), (3, Gen.Constant(Step.Commit)), (1, Gen.Constant(Step.Rollback)),
                       (5, Gen.Constant(Step.Take)), (3, Gen.Constant(Step.Keep)), (1, Gen.Constant(Step.Die)), (1, Gen.Constant(Step.Divide)))
                   from number in Gen.Choose(0, 5)
                   select (what, number);
        return Prop.ForAll(step.ListOf().ToArbitrary(), steps => PlayAsync(log, reader(), [.. steps]).GetAwaiter().GetResult());
    }

    private static async Task PlayAsync(LogDatabase log, LogReader reader, (Step What, int Number)[] steps)
    {
        var start = await reader.LastPositionAsync(Wait.Token);
        var ledger = new Ledger(log.Database, $"ledger_{Interlocked.Increment(ref _count)}", start);
        await ledger.EnsureAsync(Wait.Token);
        var (writers, processes, committed) = (new Writer?[Writers], new NpgsqlConnection?[Processes], new List<long>());
        // Each has one for each writer, who alone appends to it: they would wait for each other.
        var accounts = Enumerable.Range(0, Writers).Select(_ => Guid.NewGuid()).ToArray();
        try
        {
            foreach (var (what, number) in steps)
            {
                var (w, p) = (number % Writers, number % Processes);
                switch (what)
                {
                    case Step.Begin:
                        writers[w] ??= await Writer.BeginAsync(log.Database);
                        break;
                    case Step.Append when writers[w] is { } writer:
                        await writer.AppendAsync(accounts[w]);
                        break;
                    case Step.Commit when writers[w] is { } writer:
                        await writer.CommitAsync();
                        committed.AddRange(writer.Positions);
                        writers[w] = null;
                        break;
                    case Step.Rollback when writers[w] is { } writer:
                        await writer.DisposeAsync();
                        writers[w] = null;
                        break;
                    case Step.Take when processes[p] is null:
                        processes[p] = await TakeAsync();
                        break;
                    case Step.Keep:
                        await KeepAsync(p);
                        break;
                    case Step.Die:
                        await DieAsync(p);
                        break;
                    case Step.Divide:
                        for (var i = 0; i < Processes; i++) await KeepAsync(i);
                        await Partitions.DivideAsync(log.Database, reader, ledger, number + 1, Wait.Token);
                        break;
                }
            }
        }
        finally
        {
            foreach (var writer in writers) if (writer is not null) await writer.DisposeAsync();
            for (var i = 0; i < Processes; i++) await DieAsync(i);
        }
        await Wait.UntilAsync(async () =>
        {
            processes[0] = await TakeAsync();
            await KeepAsync(0);
            return await ledger.LowestAsync() >= await reader.LastPositionAsync(Wait.Token);
        }, "all is taken in");
        var taken = await ledger.TakenAsync();
        Assert.Equal(committed.Order(), taken.Select(t => t.Position).Order());
        foreach (var account in taken.GroupBy(t => t.StreamId)) Assert.Equal(account.Select(t => t.Position).Order(), account.Select(t => t.Position));

        async Task<NpgsqlConnection?> TakeAsync()
        {
            var connection = await log.Database.OpenConnectionAsync();
            await connection.ExecuteAsync("begin transaction");
            if (await reader.FollowAsync(connection, ledger.Checkpoint, 3, Wait.Token) is { } next) await ledger.ApplyAsync(connection, next, Wait.Token);
            return connection;
        }

        async Task KeepAsync(int process)
        {
            if (processes[process] is { } connection) await connection.ExecuteAsync("commit transaction");
            await DieAsync(process);
        }

        async Task DieAsync(int process)
        {
            if (processes[process] is { } connection) await connection.DisposeAsync();
            processes[process] = null;
        }
    }

    /// <summary>Notes what it takes in.</summary>
    private sealed class Ledger(NpgsqlDataSource database, string name, long start) : IProjection
    {
        public string Name => name;

        public Checkpoint Checkpoint { get; } = new($"{name}_checkpoint", IsDivided: true);

        public async Task EnsureAsync(CancellationToken cancellation)
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            await connection.ExecuteAsync($"""
                create table {name} (number int generated always as identity, position bigint, stream_id uuid);
                create table {Checkpoint.Table} ({Checkpoint.Columns});
                insert into {Checkpoint.Table} (low, high, position) values (0, 65535, {start});
                """);
        }

        public async Task ApplyAsync(NpgsqlConnection connection, Stretch next, CancellationToken cancellation)
        {
            foreach (var e in next.Events) await connection.ExecuteAsync($"insert into {name} (position, stream_id) values (@Position, @StreamId)", e);
            await Checkpoint.MoveAsync(connection, next.Partition, next.UpTo, cancellation);
        }

        public async Task<long> LowestAsync()
        {
            await using var connection = await database.OpenConnectionAsync();
            return await connection.ExecuteScalarAsync<long>(Checkpoint.Lowest);
        }

        public async Task<List<(long Position, Guid StreamId)>> TakenAsync()
        {
            await using var connection = await database.OpenConnectionAsync();
            return (await connection.QueryAsync<(long, Guid)>($"select position, stream_id from {name} order by number")).AsList();
        }
    }
}
