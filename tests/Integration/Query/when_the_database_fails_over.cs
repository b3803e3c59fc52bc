using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Following;
using Signup.Hosting.Handling;
using Signup.Statistics;

namespace Signup.Tests.Integration.Query;

/// <summary>(The whole system on it: ./test cluster.)</summary>
[Collection(nameof(Servers))]
public sealed class when_the_database_fails_over(Servers servers) : IAsyncLifetime
{
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync() => _log = await servers.CreateLogAsync("failover");

    public async ValueTask DisposeAsync()
    {
        await servers.MendAsync();
        await _log.DisposeAsync();
    }

    [Fact]
    public async Task nothing_acknowledged_is_lost_or_doubled_and_whoever_writes_or_reads_goes_on()
    {
        var (acknowledged, wrong, failed) = (new ConcurrentDictionary<Guid, bool>(), new ConcurrentBag<Exception>(), 0);
        using var follower = await _log.FollowAsync();
        // And one that reads from whichever standby is there.
        await using var standbys = LogReplica.Of(_log.Parts.PostgresReplica)!;
        var statistics = new DailyStatistics(_log.Database);
        using var counting = new LogFollower<DailyStatistics>(statistics, _log.Database, new LogReader(_log.Database, replica: standbys), new WakeUp(), NullLogger<LogFollower<DailyStatistics>>.Instance);
        await counting.StartAsync(CancellationToken.None);
        using var enough = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                // In doubt or not, the same is tried again until it is there.
                for (var id = Guid.NewGuid(); !acknowledged.ContainsKey(id);)
                {
                    try
                    {
                        await CreateAsync(_log.Database, id);
                        acknowledged[id] = true;
                    }
                    catch (Exception e) when (Recoverability.IsTransient(e))
                    {
                        Interlocked.Increment(ref failed);
                        await Task.Delay(TimeSpan.FromMilliseconds(10));
                    }
                    catch (Exception e)
                    {
                        wrong.Add(e);
                        return;
                    }
                }
            }
        }, Wait.Token)).ToArray();

        await AcknowledgedAsync(100);
        await servers.ProvisionAsync("kill", $"postgres{await servers.PrimaryAsync()}");
        await servers.ProvisionAsync("promote", "postgres");
        await AcknowledgedAsync(100);
        await enough.CancelAsync();
        await Task.WhenAll(writers);

        Assert.Empty(wrong);
        Assert.True(failed > 0, "Nobody has noticed.");
        var stored = (await _log.ReadAllAsync()).ConvertAll(e => e.StreamId);
        Assert.Equal(stored.Distinct(), stored);
        Assert.Empty(acknowledged.Keys.Except(stored));
        await _log.CaughtUpAsync(follower);
        Assert.Empty(await _log.AuditAsync());
        Assert.Equal(stored.Count, await _log.ScalarAsync<long>("select count(*) from query.accounts"));
        await follower.StopAsync(Wait.Token);
        await Wait.UntilAsync(async () => (await counting.MeasureAsync(Wait.Token)).Events == 0, "all is counted");
        Assert.Equal(stored.Count, await _log.ScalarAsync<long>("select sum(count)::bigint from statistics.day"));
        await counting.StopAsync(Wait.Token);

        Task AcknowledgedAsync(int more)
        {
            var before = acknowledged.Count;
            return Wait.UntilAsync(() => Task.FromResult(acknowledged.Count >= before + more || !wrong.IsEmpty), $"{more} more are acknowledged");
        }
    }

    [Fact]
    public async Task a_commit_that_no_standby_has_is_in_doubt_and_so_is_whoever_finds_it()
    {
        var id = Guid.NewGuid();
        // Their client gives up waiting, as it would after 30 s by default.
        await using var hasty = Connect("Command Timeout=1");
        await servers.EachStandbyAsync("freeze");
        try
        {
            await Assert.ThrowsAsync<CommitInDoubtException>(() => CreateAsync(hasty, id));
            Assert.Single(await _log.ReadAllAsync(), e => e.StreamId == id);
            await Assert.ThrowsAsync<CommitInDoubtException>(() => CreateAsync(hasty, id));
        }
        finally
        {
            await servers.EachStandbyAsync("thaw");
        }
        await CreateAsync(_log.Database, id);
        Assert.Single(await _log.ReadAllAsync(), e => e.StreamId == id);
    }

    [Fact]
    public async Task a_reader_skips_nothing_that_gets_the_position_of_an_event_that_was_lost()
    {
        await using var hasty = Connect("Command Timeout=1");
        await CreateAsync(_log.Database, Guid.NewGuid());
        var reader = new LogReader(_log.Database);
        var last = (await _log.ReadAllAsync(reader))[^1].Position;
        // So many positions the server keeps ahead.
        const int ahead = 32;
        await servers.EachStandbyAsync("kill");
        var lost = Enumerable.Range(0, 2 * ahead).Select(_ => Guid.NewGuid()).ToArray();
        await Assert.ThrowsAsync<CommitInDoubtException>(() => CreateAsync(hasty, lost));
        // It has seen them, and holds that nobody fills a gap below.
        Assert.Equal(lost.Length, (await _log.ReadAllAsync(reader, last)).Count);
        Assert.Equal(last + lost.Length, await reader.FinalAsync(Wait.Token));

        await servers.ProvisionAsync("kill", $"postgres{await servers.PrimaryAsync()}");
        await servers.EachStandbyAsync("up");
        await servers.ProvisionAsync("promote", "postgres");

        var (late, early) = (Guid.NewGuid(), Guid.NewGuid());
        await using var connection = await Wait.ForAsync(async () => await _log.Database.OpenConnectionAsync(), "there is a primary");
        await using var transaction = await connection.BeginTransactionAsync();
        var position = (await AppendAsync(connection, late))[0];
        Assert.InRange(position, last + 1, last + lost.Length - 1);
        await CreateAsync(_log.Database, early);
        Assert.Empty(await reader.ReadAsync(last, 100, Wait.Token));
        await transaction.CommitAsync();
        Assert.Equal([late, early], (await _log.ReadAllAsync(reader, last)).Select(e => e.StreamId));
    }

    /// <summary>As the endpoints do: who finds it there says so, too.</summary>
    private static async Task CreateAsync(NpgsqlDataSource database, params Guid[] ids)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await AppendAsync(connection, ids);
            await transaction.CommitDurablyAsync();
        }
        catch (StreamMovedOnException)
        {
            await using var connection = await database.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await Durability.AnswerForWhatIsReadAsync(connection);
            await transaction.CommitDurablyAsync();
        }
    }

    private static Task<long[]> AppendAsync(NpgsqlConnection connection, params Guid[] ids) =>
        Appending.AppendAsync(connection, [.. ids.Select(id => NewEvent.Of(id, 0, LogDatabase.Created($"{id}@example.org"), Cause.None))]);

    private NpgsqlDataSource Connect(string more) => LogStore.Connect($"{_log.ConnectionString};{more}");
}
