using FsCheck;
using FsCheck.Xunit;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Query.Commands;
using Signup.Query.Projection;

namespace Signup.Tests.Integration.Query;

[Collection(nameof(Servers))]
public sealed class reading_the_log_from_a_standby(Servers servers) : IAsyncLifetime
{
    private LogDatabase _log = null!;
    private string _where = null!;
    private LogReplica _standby = null!;

    public async ValueTask InitializeAsync()
    {
        _log = await servers.CreateLogAsync("standby");
        _where = await servers.StandbyAsync(_log);
        _standby = LogReplica.Of(_where)!;
    }

    public async ValueTask DisposeAsync()
    {
        await _standby.DisposeAsync();
        await _log.DisposeAsync();
    }

    [Property(MaxTest = 50, StartSize = 50)]
    public Property never_skips_an_event_however_commits_interleave() => Interleaving.Any(_log, () => Reader());

    [Property(MaxTest = 20, StartSize = 60)]
    public Property and_takes_each_in_once_however_accounts_are_divided() => Division.Any(_log, () => Reader());

    [Fact]
    public async Task takes_what_events_say_from_there_and_says_so_where_it_does_not_answer()
    {
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("ada@example.org"));
        var e = Assert.Single(await _log.ReadAllAsync(Reader()));
        Assert.Equal((await _log.ReadAllAsync())[0], e);
        await using var nobody = LogReplica.Of($"{_where};Host=127.0.0.1:1")!;
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Reader(nobody).ReadAsync(0, 1, Wait.Token));
        using var follower = await _log.FollowAsync(standby: nobody);
        using var check = Check(follower);
        await Wait.UntilAsync(async () => (await check.CheckHealthAsync(new(), Wait.Token)).Description == "The standby of ConnectionStrings__PostgresReplica cannot be read.", "it says so");
    }

    [Fact]
    public async Task what_has_not_come_there_waits_and_it_says_how_much_that_is()
    {
        await using var held = await HoldAsync();
        using var follower = await _log.FollowAsync(standby: _standby);
        using var check = Check(follower);
        await Wait.UntilAsync(async () => await BehindAsync() == (0, 0), "it has begun");
        for (var n = 0; n < 3; n++) await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"{n}@example.org"));
        Assert.Equal((3, 3), await BehindAsync());
        Assert.Empty(await Reader().ReadAsync(0, 10, Wait.Token));

        await held.DisposeAsync();
        await Wait.UntilAsync(async () => await BehindAsync() == (0, 0), "all has come");
        Assert.Equal(3, await _log.ScalarAsync<long>("select count(*) from query.accounts"));

        async Task<(long, long)> BehindAsync()
        {
            var data = (await check.CheckHealthAsync(new(), Wait.Token)).Data;
            return data.Count == 0 ? (-1, -1) : ((long)data["behindEvents"], (long)data["standbyBehindEvents"]);
        }
    }

    [Fact]
    public async Task a_rebuild_has_also_what_has_not_come_there()
    {
        using (var follower = await _log.FollowAsync())
        {
            await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("early@example.org"));
            await _log.CaughtUpAsync(follower);
            await Wait.UntilAsync(async () => await _standby.LastPositionAsync(Wait.Token) == 1, "that has come there");
            await using var held = await HoldAsync();
            await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("late@example.org"));
            await _log.CaughtUpAsync(follower);

            var generation = await new RebuildReadModel(_log.Database, Reader(), LogDatabase.Quiet).RunAsync(Wait.Token);
            Assert.Equal(2, generation.Position);
        }
        Assert.Empty(await _log.AuditAsync());
    }

    [Fact]
    public async Task of_another_log_is_an_error()
    {
        await using var other = await LogDatabase.CreateAsync("other", servers.State);
        foreach (var log in new[] { _log, other }) await log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("ada@example.org"));
        await using var wrong = LogReplica.Of(other.ConnectionString)!;
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Reader(wrong).ReadAsync(0, 1, Wait.Token));
        Assert.Contains("has another event at position 1 than the primary", e.Message, StringComparison.Ordinal);
    }

    private ProjectionLag<ReadModel> Check(LogFollower<ReadModel> follower) => new(follower, _log.ReadModel(), new EndpointIdentity("test"));

    private LogReader Reader(LogReplica? standby = null) => new(_log.Database, replica: standby ?? _standby);

    /// <summary>Nothing comes to the standby any more until it is disposed of: it looks at a table there that has changed at the primary.</summary>
    private async Task<NpgsqlConnection> HoldAsync()
    {
        await _log.ExecuteAsync("create table held ()");
        var held = new NpgsqlConnection($"{_where};Pooling=false");
        await held.OpenAsync();
        await Wait.UntilAsync(async () => await AskAsync("select to_regclass('held') is not null"), "the table has come there");
        await AskAsync("begin; select count(*) = 0 from held");
        await _log.ExecuteAsync("alter table held add column changed int");
        return held;

        async Task<bool> AskAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, held);
            return (bool)(await command.ExecuteScalarAsync())!;
        }
    }
}
