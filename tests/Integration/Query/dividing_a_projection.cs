using FsCheck;
using FsCheck.Xunit;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Query.Commands;
using Signup.Query.Projection;
using Signup.Statistics;

namespace Signup.Tests.Integration.Query;

/// <summary>Processes share a projection by account, each with a checkpoint, and are not told when it is divided anew.</summary>
public sealed class dividing_a_projection : IAsyncLifetime
{
    private static readonly DateTimeOffset Later = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync() => _log = await LogDatabase.CreateAsync("dividing");
    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Property(MaxTest = 40, StartSize = 60)]
    public Property each_event_is_taken_in_once_and_those_of_an_account_in_order_whoever_dies_and_whenever_it_is_divided() => Division.Any(_log, () => new LogReader(_log.Database));

    [Fact]
    public async Task as_many_are_at_work_on_it_at_once_as_there_are_partitions()
    {
        var model = _log.ReadModel();
        await model.EnsureAsync(Wait.Token);
        await DivideAsync(model, 2);
        await using var one = await _log.Database.OpenConnectionAsync();
        await using var other = await _log.Database.OpenConnectionAsync();
        await using var third = await _log.Database.OpenConnectionAsync();
        await using var first = await one.BeginTransactionAsync();
        await using var second = await other.BeginTransactionAsync();
        await using var none = await third.BeginTransactionAsync();
        Assert.Equal(0, await _log.LockAsync(model, one));
        Assert.Equal(0, await _log.LockAsync(model, other));
        Assert.Null(await _log.LockAsync(model, third));
    }

    [Fact]
    public async Task goes_on_while_events_come_and_it_is_divided_and_rebuilt()
    {
        var statistics = new DailyStatistics(_log.Database);
        using var counting = new LogFollower<DailyStatistics>(statistics, _log.Database, new LogReader(_log.Database), new WakeUp(), NullLogger<LogFollower<DailyStatistics>>.Instance);
        await counting.StartAsync(CancellationToken.None);
        var followers = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => _log.FollowAsync()));
        var model = _log.ReadModel();
        using var stop = new CancellationTokenSource();
        var written = 0;
        var writing = Task.Run(async () =>
        {
            for (; !stop.IsCancellationRequested; written++) await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"{written}@example.org"), new AccountActivated(Later));
        });
        foreach (var count in new[] { 4, 3, 1, 2 })
        {
            await Wait.UntilAsync(async () => await _log.ScalarAsync<long>("select count(*) from query.checkpoint where position > 0") > 0 && await _log.ScalarAsync<long>("select count(*) from statistics.checkpoint where position > 0") > 0, "they are at work");
            await DivideAsync(model, count);
            await DivideAsync(statistics, count);
            if (count == 3) await new RebuildReadModel(_log.Database, new LogReader(_log.Database), LogDatabase.Quiet).RunAsync(Wait.Token);
            Assert.Equal(count, await _log.ScalarAsync<long>("select count(*) from query.checkpoint"));
        }
        await stop.CancelAsync();
        await writing;
        await _log.CaughtUpAsync(followers[0]);
        await Wait.UntilAsync(async () => (await counting.MeasureAsync(Wait.Token)).Events == 0, "all is counted");
        foreach (var follower in followers) follower.Dispose();

        Assert.Equal((written, written), ((int)await _log.ScalarAsync<long>("select count(*) from query.accounts"), (int)await _log.ScalarAsync<decimal>("select sum(count) from statistics.day where type = 'AccountActivated'")));
        Assert.Empty(await _log.AuditAsync());
    }

    [Fact]
    public async Task where_one_partition_is_behind_the_others_go_on_and_an_audit_raises_no_alarm_and_mends_what_differs()
    {
        var model = _log.ReadModel();
        await model.EnsureAsync(Wait.Token);
        await DivideAsync(model, 4);
        using var follower = await _log.FollowAsync();
        await using (var other = await _log.Database.OpenConnectionAsync())
        await using (await other.BeginTransactionAsync())
        {
            var behind = (await Wait.ForAsync(() => new LogReader(_log.Database).FollowAsync(other, model.Checkpoint, 1, Wait.Token), "one is held")).Partition;
            for (var n = 0; n < 40; n++) await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"{n}@example.org"));
            await Wait.UntilAsync(async () => await _log.ScalarAsync<long>("select count(*) from query.checkpoint where position = 40") == 3, "the others are at the end");
            await Wait.UntilAsync(() => Task.FromResult(follower.Lag is { Position: 0, Events: 40 }), "it says how far it is behind");
            Assert.Equal(40, await _log.ScalarAsync<long>("select count(*) from query.accounts") + await _log.ScalarAsync<long>($"select count(*) from log.mt_streams where ('x' || right(id::text, 4))::bit(16)::int between {behind.Low} and {behind.High}"));
            Assert.Empty(await _log.AuditAsync());
        }
        await _log.CaughtUpAsync(follower);
        await _log.ExecuteAsync("update query.accounts set document = jsonb_set(document, '{username}', '\"Eve\"') where id = (select id from query.accounts limit 1)");
        Assert.Single(await _log.AuditAsync(repair: true));
        Assert.Empty(await _log.AuditAsync());
    }

    [Fact]
    public async Task one_event_that_cannot_be_taken_in_is_named()
    {
        var poison = Guid.NewGuid();
        var model = _log.ReadModel();
        await model.EnsureAsync(Wait.Token);
        await DivideAsync(model, 4);
        await _log.ExecuteAsync($"""
            create function refuse() returns trigger language plpgsql as 'begin if new.id = ''{poison}'' then raise exception ''too hard to swallow''; end if; return new; end';
            create trigger refuse before insert on query.accounts_1 for each row execute function refuse();
            """);
        for (var n = 0; n < 60; n++) await _log.AppendAsync(n == 40 ? poison : Guid.NewGuid(), LogDatabase.Created($"{n}@example.org"));
        using var follower = await _log.FollowAsync();
        using var check = new ProjectionLag<ReadModel>(follower, model, new EndpointIdentity("test"));
        await Wait.UntilAsync(async () => await check.CheckHealthAsync(new(), Wait.Token) is { Status: HealthStatus.Unhealthy, Description: { } why }
            && why.Contains($"AccountCreated at position 41, of {poison}", StringComparison.Ordinal), "it says which event");
        await _log.ExecuteAsync("drop trigger refuse on query.accounts_1");
        await _log.CaughtUpAsync(follower);
        await Wait.UntilAsync(async () => (await check.CheckHealthAsync(new(), Wait.Token)).Status == HealthStatus.Healthy, "it is well again");
    }

    [Fact]
    public async Task is_left_to_newer_code()
    {
        var model = _log.ReadModel();
        await model.EnsureAsync(Wait.Token);
        await _log.ExecuteAsync("update query.generation set shape = shape + 1");
        Assert.Contains("newer version", (await Assert.ThrowsAsync<InvalidOperationException>(() => DivideAsync(model, 2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task what_an_earlier_version_has_left_goes_on_where_it_was()
    {
        for (var n = 0; n < 3; n++) await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"{n}@example.org"));
        var model = _log.ReadModel();
        await model.EnsureAsync(Wait.Token);
        await _log.ExecuteAsync("""
            drop table query.checkpoint;
            update query.generation set position = 2;
            create schema statistics;
            create table statistics.day (day date not null, type text not null, count bigint not null, primary key (day, type));
            create table statistics.checkpoint (one boolean primary key default true check (one), position bigint not null);
            insert into statistics.day values ('2026-11-23', 'AccountCreated', 2);
            insert into statistics.checkpoint (position) values (2);
            """);
        var statistics = new DailyStatistics(_log.Database);
        for (var again = 0; again < 2; again++)
        {
            await model.EnsureAsync(Wait.Token);
            await statistics.EnsureAsync(Wait.Token);
        }
        await using var connection = await _log.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var projection in new IProjection[] { model, statistics })
        {
            var next = await new LogReader(_log.Database).FollowAsync(connection, projection.Checkpoint, 10, Wait.Token);
            Assert.Equal((2, 3), (next!.After, Assert.Single(next.Events).Position));
            await projection.ApplyAsync(connection, next, Wait.Token);
        }
        await transaction.CommitAsync(Wait.Token);
        await DivideAsync(statistics, 2);
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("last@example.org"));
        await DivideAsync(statistics, 1);
        Assert.Equal(3, await _log.ScalarAsync<decimal>("select sum(count) from statistics.day"));
    }

    private Task DivideAsync(IProjection projection, int count) => Partitions.DivideAsync(_log.Database, new LogReader(_log.Database), projection, count, Wait.Token);
}
