using System.CommandLine;
using System.Threading.Channels;
using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Commands;
using Signup.Query.Accounts;
using Signup.Query.Projection;

namespace Signup.Query.Commands;

/// <summary>
/// Builds the read model anew from the log, in a table beside the live one, and swaps the two in one transaction. Reads go on meanwhile.
/// A rebuild that was killed goes on where it was; one that a change of <see cref="AccountDocument.Shape"/> has overtaken begins anew.
/// </summary>
public sealed class RebuildReadModel(NpgsqlDataSource database, LogReader log, IProgress<Done> progress)
{
    private const int BatchSize = 10_000;

    /// <summary>Held by the session that rebuilds.</summary>
    private const string Lock = "hashtextextended('signup.query.rebuild', 0)";

    public static Command Define() => new Command("rebuild", "Builds the read model anew from the log and swaps it in. Reads go on meanwhile.").Runs(async (given, cancellation) =>
    {
        await using var database = given.OpenDatabase();
        await using var replica = given.OpenReplica();
        var generation = await ProgressBar.ShowAsync("events", progress => new RebuildReadModel(database, given.OpenLog(database, replica: replica), progress).RunAsync(cancellation));
        Console.WriteLine($"The read model is rebuilt: {generation.Table}, shape {generation.Shape}, up to position {generation.Position}.");
        return 0;
    });

    /// <returns>The generation that is live now.</returns>
    /// <exception cref="InvalidOperationException">Another rebuild is running.</exception>
    public async Task<Generation> RunAsync(CancellationToken cancellation)
    {
        await new ReadModel(database, log).EnsureAsync(cancellation);
        // Ends with the session, however this process ends.
        await using var one = await database.OpenConnectionAsync(cancellation);
        if (!await one.ExecuteScalarAsync<bool>($"select pg_try_advisory_lock({Lock})"))
            throw new InvalidOperationException("Another rebuild is running.");
        try
        {
            return await RunAloneAsync(cancellation);
        }
        finally
        {
            await one.ExecuteAsync($"select pg_advisory_unlock({Lock})");
        }
    }

    private async Task<Generation> RunAloneAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var generation = await ResumeOrBeginAsync(connection, cancellation);
        generation = await CatchUpAsync(connection, generation, cancellation);
        await ReadModel.CreateIndexesAsync(connection, generation, cancellation);
        // Without statistics the first queries on the new table would be planned blindly.
        await connection.ExecuteAsync(new CommandDefinition($"analyze {generation.Table}", commandTimeout: 0, cancellationToken: cancellation));

        while (true)
        {
            generation = await CatchUpAsync(connection, generation, cancellation);
            try
            {
                generation = await SwapAsync(connection, log, generation, cancellation);
                break;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable)
            {
                // Someone reads for long. Waiting in line would make every other reader wait behind us.
                await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
            }
        }
        await DropOldAsync(connection, cancellation);
        return generation;
    }

    private static async Task<Generation> ResumeOrBeginAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var begun = await connection.QuerySingleOrDefaultAsync<Generation>($"select id, shape, position from {ReadModel.Schema}.generation where state = 'building'");
        if (begun?.Shape == AccountDocument.Shape) return begun;
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync($"delete from {ReadModel.Schema}.generation where state = 'building'");
        if (begun is not null) await connection.ExecuteAsync($"drop table if exists {begun.Table}");
        var generation = await ReadModel.CreateGenerationAsync(connection, "building", cancellation);
        await transaction.CommitAsync(cancellation);
        return generation;
    }

    /// <summary>Takes in what the log holds. The next events are read while the last are folded and written, two batches at most are in memory.</summary>
    private async Task<Generation> CatchUpAsync(NpgsqlConnection connection, Generation generation, CancellationToken cancellation)
    {
        var end = await log.LastPositionAsync(cancellation);
        var done = await CountAsync(connection, 0, generation.Position, cancellation);
        var total = done + await CountAsync(connection, generation.Position, end, cancellation);
        progress.Report(new(done, total));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var batches = Channel.CreateBounded<IReadOnlyList<LoggedEvent>>(1);
        var reading = ReadAsync(generation.Position, batches.Writer, stop.Token);
        try
        {
            await foreach (var events in batches.Reader.ReadAllAsync(cancellation))
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellation);
                // What is lost of it in a crash of the server is built again: the checkpoint is lost with it.
                await connection.ExecuteAsync("set local synchronous_commit = off");
                await ReadModel.FoldAsync(connection, log, generation, events, cancellation);
                generation = await ReadModel.ReachAsync(connection, generation, events[^1].Position, cancellation);
                await transaction.CommitAsync(cancellation);
                progress.Report(new(done += events.Count, total = Math.Max(total, done)));
            }
        }
        finally
        {
            await stop.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await reading;
        return generation;
    }

    private async Task ReadAsync(long after, ChannelWriter<IReadOnlyList<LoggedEvent>> batches, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                var events = await log.ReadAsync(after, BatchSize, cancellation);
                if (events.Count == 0) break;
                after = events[^1].Position;
                await batches.WriteAsync(events, cancellation);
            }
            batches.Complete();
        }
        catch (Exception e)
        {
            batches.Complete(e);
            if (e is not OperationCanceledException) throw;
        }
    }

    /// <summary>From one moment to the next all reads come from the new table, which is at least as far as the old.</summary>
    internal static async Task<Generation> SwapAsync(NpgsqlConnection connection, LogReader log, Generation generation, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync("set local lock_timeout = '1s'");
        // From here on the followers wait.
        var live = await ReadModel.OfLive.HoldAsync(connection, cancellation);
        var reached = live.Max(p => p.Position);
        // What a follower has taken in beyond us it took from behind all gaps that were still open: this range is final.
        await foreach (var events in log.ReadRangeAsync(connection, Partition.All, generation.Position, reached, BatchSize, cancellation))
            await ReadModel.FoldAsync(connection, log, generation, events, cancellation);
        generation = await ReadModel.ReachAsync(connection, generation, Math.Max(generation.Position, reached), cancellation);
        await connection.ExecuteAsync($"""
            delete from {ReadModel.Schema}.generation where state = 'live';
            update {ReadModel.Schema}.generation set state = 'live' where id = @id
            """, new { id = generation.Id });
        await ReadModel.OfLive.ReplaceAsync(connection, live.Select(p => p.Partition), generation.Position, cancellation);
        await ReadModel.PointViewAsync(connection, generation, cancellation);
        await transaction.CommitAsync(cancellation);
        return generation;
    }

    /// <summary>Tables of generations that are no more, also of a rebuild that was killed behind its swap.</summary>
    private static async Task DropOldAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var old = await connection.QueryAsync<string>(new CommandDefinition($"""
            select format('%I.%I', schemaname, tablename) from pg_tables
            where schemaname = '{ReadModel.Schema}' and tablename ~ '^accounts_[0-9]+$'
              and substring(tablename from '[0-9]+$')::int not in (select id from {ReadModel.Schema}.generation)
            """, cancellationToken: cancellation));
        foreach (var table in old)
            await connection.ExecuteAsync(new CommandDefinition($"drop table if exists {table}", commandTimeout: 0, cancellationToken: cancellation));
    }

    private static Task<long> CountAsync(NpgsqlConnection connection, long after, long upTo, CancellationToken cancellation) =>
        connection.ExecuteScalarAsync<long>(new CommandDefinition(
            $"select count(*) from {LogStore.Events} where seq_id > @after and seq_id <= @upTo", new { after, upTo }, commandTimeout: 0, cancellationToken: cancellation));
}
