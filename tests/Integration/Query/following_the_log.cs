using Dapper;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Query.Accounts;
using Signup.Query.Projection;

namespace Signup.Tests.Integration.Query;

public sealed class following_the_log : IAsyncLifetime
{
    private static readonly DateTimeOffset Later = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync() => _log = await LogDatabase.CreateAsync("following");
    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task makes_a_document_of_what_happened_before_and_after_its_start()
    {
        var (early, late) = (Guid.NewGuid(), Guid.NewGuid());
        await _log.AppendAsync(early, LogDatabase.Created("Early@example.org"), new ActivationMailSent("activation", Later));
        using var follower = await _log.FollowAsync();
        await _log.AppendAsync(late, LogDatabase.Created("late@example.org"));
        await _log.AppendAsync(early, new AccountActivated(Later));
        await _log.CaughtUpAsync(follower);

        Assert.Equal((AccountStatus.Active, MailState.Sent, 3), await StateOfAsync(early));
        Assert.Equal((AccountStatus.Pending, MailState.Queued, 1), await StateOfAsync(late));
        Assert.Empty(await _log.AuditAsync());
    }

    [Fact]
    public async Task needs_no_message_to_notice_an_event()
    {
        using var follower = await _log.FollowAsync();
        await _log.CaughtUpAsync(follower);
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("a@example.org"));
        await _log.CaughtUpAsync(follower);
        Assert.Equal(1, await DocumentsAsync());
    }

    [Fact]
    public async Task does_not_wait_for_the_end_of_its_rest_where_a_message_tells_of_an_event()
    {
        var wakeUp = new WakeUp();
        // A rest that no test would outlive.
        using var follower = await _log.FollowAsync(wakeUp, TimeSpan.FromDays(1));
        await Wait.UntilAsync(() => Task.FromResult(follower.Lag is { Events: 0 }), "it has looked and rests");
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("a@example.org"));
        wakeUp.Signal();
        await _log.CaughtUpAsync(follower);
        Assert.Equal(1, await DocumentsAsync());
    }

    [Fact]
    public async Task is_done_once_however_many_processes_do_it()
    {
        var followers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => _log.FollowAsync()));
        var accounts = Enumerable.Range(0, 40).Select(_ => Guid.NewGuid()).ToList();
        await Task.WhenAll(accounts.Select(async (id, n) =>
        {
            await _log.AppendAsync(id, LogDatabase.Created($"user{n}@example.org"));
            for (var i = 0; i < 5; i++) await _log.AppendAsync(id, new ActivationMailSent($"resend-{i}", Later));
        }));
        await _log.CaughtUpAsync(followers[0]);
        foreach (var follower in followers) follower.Dispose();

        Assert.Empty(await _log.AuditAsync());
        // Counted, so it would show if an event had been taken twice.
        Assert.Equal([5], await QueryAsync<int>("select distinct (document -> 'mail' ->> 'count')::int from query.accounts"));
    }

    [Fact]
    public async Task is_left_to_the_process_that_is_at_it()
    {
        var model = _log.ReadModel();
        await model.EnsureAsync(Wait.Token);
        await using var one = await _log.Database.OpenConnectionAsync();
        await using var other = await _log.Database.OpenConnectionAsync();
        await using (await one.BeginTransactionAsync())
        {
            Assert.Equal(0, await _log.LockAsync(model, one));
            Assert.Null(await _log.LockAsync(model, other));
        }
        Assert.Equal(0, await _log.LockAsync(model, other));
    }

    [Fact]
    public async Task can_be_measured_where_what_comes_next_has_no_time()
    {
        using var follower = await _log.FollowAsync();
        await _log.CaughtUpAsync(follower);
        await using var other = await _log.Database.OpenConnectionAsync();
        await using (await other.BeginTransactionAsync())
        {
            await Wait.UntilAsync(async () => await _log.LockAsync(_log.ReadModel(), other) is not null, "the follower has nothing in hand");
            await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("a@example.org"));
            // As Marten notes an append that has failed.
            await _log.Database.TamperAsync("update log.mt_events set timestamp = '-infinity'");
            Assert.Equal((1, 0), (await follower.MeasureAsync(Wait.Token)) is var lag ? (lag.Events, lag.Seconds) : default);
        }
        await _log.CaughtUpAsync(follower);
    }

    [Fact]
    public async Task reads_the_stream_where_the_document_it_would_build_on_is_missing()
    {
        var id = Guid.NewGuid();
        using var follower = await _log.FollowAsync();
        await _log.AppendAsync(id, LogDatabase.Created("gap@example.org"));
        await _log.CaughtUpAsync(follower);
        await _log.ExecuteAsync("delete from query.accounts");
        await _log.AppendAsync(id, new AccountActivated(Later));
        await _log.CaughtUpAsync(follower);
        Assert.Equal((AccountStatus.Active, MailState.Queued, 2), await StateOfAsync(id));
    }

    [Fact]
    public async Task goes_on_where_it_was_after_it_was_stopped_at_any_point()
    {
        var model = _log.ReadModel();
        await model.EnsureAsync(Wait.Token);
        var id = Guid.NewGuid();
        await _log.AppendAsync(id, LogDatabase.Created("crash@example.org"), new ActivationMailSent("activation", Later));
        await using (var connection = await _log.Database.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            await model.ApplyAsync(connection, (await new LogReader(_log.Database).FollowAsync(connection, model.Checkpoint, 10, Wait.Token))!, Wait.Token);
            // Dies before the commit.
        }
        Assert.Equal(0, await DocumentsAsync());
        using var follower = await _log.FollowAsync();
        await _log.CaughtUpAsync(follower);
        Assert.Equal((AccountStatus.Pending, MailState.Sent, 2), await StateOfAsync(id));
    }

    [Fact]
    public async Task an_event_whose_json_does_not_fit_stops_nobody_else()
    {
        var (broken, whole) = (Guid.NewGuid(), Guid.NewGuid());
        await _log.AppendAsync(broken, LogDatabase.Created("broken@example.org"));
        await using (var connection = await _log.Database.OpenConnectionAsync())
            await LogDatabase.AppendAsync(connection, broken, ("AccountActivated", """{"activatedAt":"soon"}"""));
        await _log.AppendAsync(whole, LogDatabase.Created("whole@example.org"));
        using var follower = await _log.FollowAsync();
        await _log.CaughtUpAsync(follower);
        Assert.Equal((AccountStatus.Pending, MailState.Queued, 2), await StateOfAsync(broken));
        Assert.Equal((AccountStatus.Pending, MailState.Queued, 1), await StateOfAsync(whole));
    }

    [Fact]
    public async Task code_of_an_older_shape_leaves_the_read_model_of_newer_code_alone()
    {
        var model = _log.ReadModel();
        await model.EnsureAsync(Wait.Token);
        await _log.ExecuteAsync("update query.generation set shape = shape + 1");
        await using var connection = await _log.Database.OpenConnectionAsync();
        Assert.Null(await _log.LockAsync(model, connection));
    }

    [Fact]
    public async Task and_says_so()
    {
        using var follower = await _log.FollowAsync();
        await _log.CaughtUpAsync(follower);
        using var check = Check(follower);
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(new(), Wait.Token)).Status);

        await _log.ExecuteAsync("update query.generation set shape = shape + 1");

        var health = await check.CheckHealthAsync(new(), Wait.Token);
        Assert.Equal((HealthStatus.Unhealthy, true), (health.Status, health.Description!.Contains("newer version of the code", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task one_event_that_cannot_be_taken_in_is_named_and_those_before_it_are_taken()
    {
        var poison = Guid.NewGuid();
        await _log.ReadModel().EnsureAsync(Wait.Token);
        await _log.ExecuteAsync($"""
            create function refuse() returns trigger language plpgsql as 'begin if new.id = ''{poison}'' then raise exception ''too hard to swallow''; end if; return new; end';
            create trigger refuse before insert on query.accounts_1 for each row execute function refuse();
            """);
        for (var n = 0; n < 30; n++) await _log.AppendAsync(n == 20 ? poison : Guid.NewGuid(), LogDatabase.Created($"{n}@example.org"));
        var position = await _log.ScalarAsync<long>($"select seq_id from log.mt_events where stream_id = '{poison}'");

        using var follower = await _log.FollowAsync();
        using var check = Check(follower);
        await Wait.UntilAsync(async () => await check.CheckHealthAsync(new(), Wait.Token) is { Status: HealthStatus.Unhealthy, Description: { } why }
            && why.Contains($"AccountCreated at position {position}, of {poison}", StringComparison.Ordinal) && why.Contains("too hard to swallow", StringComparison.Ordinal), "it says which event, and why");
        Assert.Equal(20, await DocumentsAsync());

        await _log.ExecuteAsync("drop trigger refuse on query.accounts_1");
        await _log.CaughtUpAsync(follower);
        await Wait.UntilAsync(async () => (await check.CheckHealthAsync(new(), Wait.Token)).Status == HealthStatus.Healthy, "it is well again");
        Assert.Equal(30, await DocumentsAsync());
    }

    [Fact]
    public async Task starting_many_at_once_on_an_empty_database_makes_one_read_model()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _log.ReadModel().EnsureAsync(Wait.Token)));
        Assert.Equal(1, await _log.ScalarAsync<long>("select count(*) from query.generation"));
    }

    private ProjectionLag<ReadModel> Check(LogFollower<ReadModel> follower) => new(follower, _log.ReadModel(), new EndpointIdentity("test"));

    private Task<long> DocumentsAsync() => _log.ScalarAsync<long>("select count(*) from query.accounts");

    private async Task<(AccountStatus, MailState, long)> StateOfAsync(Guid id)
    {
        var document = AccountDocument.Parse(await _log.ScalarAsync<string>($"select document::text from query.accounts where id = '{id}'"));
        return (document.Status, document.Mail.State, document.Version);
    }

    private async Task<List<T>> QueryAsync<T>(string sql)
    {
        await using var connection = await _log.Database.OpenConnectionAsync();
        return (await connection.QueryAsync<T>(sql)).AsList();
    }
}
