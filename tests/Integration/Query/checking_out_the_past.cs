using System.Globalization;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Query.Commands;
using Signup.Query.Inspection;

namespace Signup.Tests.Integration.Query;

public sealed class checking_out_the_past : IAsyncLifetime
{
    private static readonly DateTimeOffset Later = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private LogDatabase _log = null!;
    private LogDatabase _other = null!;

    public async ValueTask InitializeAsync() => (_log, _other) = (await LogDatabase.CreateAsync("past"), await LogDatabase.CreateAsync("present"));

    public async ValueTask DisposeAsync()
    {
        await _log.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task gives_another_system_the_same_log_and_so_the_same_read_model()
    {
        for (var n = 0; n < 10; n++)
            await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"u{n}@exämple.org"), new ActivationMailSent("activation", Later), new AccountActivated(Later));
        await using (var connection = await _log.Database.OpenConnectionAsync())
            await Appending.AppendAsync(connection, [NewEvent.Of(Guid.NewGuid(), 0, LogDatabase.Created("zoe@exämple.org"), new Cause("m", "conversation", "c", "t", "operator:ada"))], Wait.Token);
        await RollBackOneAsync();
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("last@example.org"));

        await ImportAsync(await ExportAsync(disclosure: Disclosure.Everything));

        Assert.Equal(await EventsAsync(_log), await EventsAsync(_other));
        Assert.Equal(await DocumentsAsync(_log), await DocumentsAsync(_other));
    }

    [Fact]
    public async Task can_be_gone_on_from()
    {
        var id = Guid.NewGuid();
        await _log.AppendAsync(id, LogDatabase.Created("a@example.org"));
        await ImportAsync(await ExportAsync());

        await using var session = _other.Store.LightweightSession();
        session.Events.Append(id, 2, new AccountActivated(Later));
        await session.SaveChangesAsync();

        Assert.Equal(AccountStatus.Active, (await new LogReader(_other.Database).LoadAccountAsync(id, Wait.Token)).Status);
        Assert.Equal([1, 2], (await EventsAsync(_other)).Select(e => e.Version));
    }

    [Fact]
    public async Task until_a_moment_leaves_out_what_came_later()
    {
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("early@example.org"));
        var moment = (await EventsAsync(_log))[0].At;
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("late@example.org"));
        var export = new Export(_log.Database, new LogReader(_log.Database), LogDatabase.Quiet);

        var text = await ExportAsync(until: await export.PositionAtAsync(moment, Wait.Token));
        Assert.Contains("early@", text, StringComparison.Ordinal);
        Assert.DoesNotContain("late@", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task of_one_account_has_only_that()
    {
        var id = Guid.NewGuid();
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("other@example.org"));
        await _log.AppendAsync(id, LogDatabase.Created("mine@example.org"));
        await ImportAsync(await ExportAsync(account: id));
        Assert.Equal(id, Assert.Single(await EventsAsync(_other)).StreamId);
    }

    [Fact]
    public async Task keeps_secrets_at_home()
    {
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("a@example.org"));
        Assert.DoesNotContain("secret", await ExportAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{broken", "Line 1 is no exported event")]
    [InlineData("{}", "Line 1 is no exported event")]
    [InlineData("""{"position":1,"streamId":"0193b1a0-0000-7000-8000-000000000001","version":2,"eventId":"0193b1a0-0000-7000-8000-000000000002","type":"AccountActivated","at":"2026-11-23T10:00:00Z","data":{}}""", "version 2 of")]
    [InlineData("""{"position":0,"streamId":"0193b1a0-0000-7000-8000-000000000001","version":1,"eventId":"0193b1a0-0000-7000-8000-000000000002","type":"AccountActivated","at":"2026-11-23T10:00:00Z","data":{}}""", "position 0 does not")]
    public async Task that_is_no_export_loads_nothing_and_says_why(string text, string message)
    {
        Assert.Contains(message, (await Assert.ThrowsAsync<FormatException>(() => ImportAsync(text))).Message, StringComparison.Ordinal);
        Assert.Empty(await EventsAsync(_other));
    }

    [Fact]
    public async Task into_a_log_that_is_not_empty_is_refused()
    {
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("a@example.org"));
        await _other.AppendAsync(Guid.NewGuid(), LogDatabase.Created("b@example.org"));
        var text = await ExportAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => ImportAsync(text));
        Assert.Single(await EventsAsync(_other));
    }

    [Fact]
    public async Task finds_the_event_that_first_broke_a_rule()
    {
        var (good, bad, worse) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await _log.AppendAsync(good, LogDatabase.Created("good@example.org"), new ActivationMailSent("activation", Later), new AccountActivated(Later));
        await _log.AppendAsync(bad, LogDatabase.Created("bad@example.org"));
        await _log.AppendAsync(worse, LogDatabase.Created("worse@example.org"), new AccountActivated(Later));
        await _log.AppendAsync(bad, new AccountActivated(Later), new ActivationMailSent("activation", Later));
        var rule = Rule.Parse("status = active implies mail = sent");
        var check = new CheckRule(_log.Database, new LogReader(_log.Database), LogDatabase.Quiet);

        var all = await check.RunAsync(rule, null, Wait.Token);
        Assert.Equal((worse, 2L, 2, 3, 8L), (all.First!.Event.StreamId, all.First.Event.Version, all.Broken, all.Accounts, all.Events));
        // Though it holds again in the end.
        Assert.Equal(2, (await check.RunAsync(rule, bad, Wait.Token)).First!.Event.Version);
        Assert.Null((await check.RunAsync(rule, good, Wait.Token)).First);
        Assert.Equal(0, (await check.RunAsync(rule, Guid.NewGuid(), Wait.Token)).Accounts);
    }

    private async Task<string> ExportAsync(long until = long.MaxValue, Guid? account = null, Disclosure disclosure = Disclosure.WithoutSecrets)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        await new Export(_log.Database, new LogReader(_log.Database), LogDatabase.Quiet).WriteAsync(output, until, account, disclosure, Wait.Token);
        return output.ToString();
    }

    private Task<long> ImportAsync(string text) => new Import(_other.Database, LogDatabase.Quiet).RunAsync(() => new StringReader(text), Wait.Token);

    private async Task RollBackOneAsync()
    {
        await using var connection = await _log.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await LogDatabase.AppendAsync(connection, Guid.NewGuid(), ("AccountActivated", "{}"));
    }

    private static Task<List<LoggedEvent>> EventsAsync(LogDatabase log) => log.ReadAllAsync();

    private static async Task<List<string>> DocumentsAsync(LogDatabase log)
    {
        using var follower = await log.FollowAsync();
        await log.CaughtUpAsync(follower);
        return [.. (await log.ScalarAsync<string[]>("select array_agg(document::text order by id) from query.accounts"))];
    }
}
