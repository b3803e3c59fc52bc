using System.Globalization;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Query.Accounts;
using Signup.Query.Commands;

namespace Signup.Tests.Integration.Query;

public sealed class reading_events_of_an_older_shape : IAsyncLifetime
{
    private const string First = """{"email": "zoe@example.org", "username": "Zoë", "createdAt": "2026-11-23T10:00:00+00:00", "passwordHash": "x"}""";
    private readonly Guid _id = Guid.NewGuid();
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync()
    {
        _log = await LogDatabase.CreateAsync("upcasting");
        await using var connection = await _log.Database.OpenConnectionAsync();
        await LogDatabase.AppendAsync(connection, _id, ("AccountCreated", First));
        await _log.AppendAsync(_id, new AccountActivated(DateTimeOffset.UnixEpoch));
    }

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task gives_the_present_one_to_who_decides()
    {
        Assert.Equal(AccountStatus.Active, (await new LogReader(_log.Database).LoadAccountAsync(_id, Wait.Token)).Status);
        await using var session = _log.Store.LightweightSession();
        var created = Assert.IsType<AccountCreated>((await session.Events.FetchStreamAsync(_id))[0].Data);
        Assert.Equal("en", created.Language);
    }

    [Fact]
    public async Task gives_the_present_one_to_who_follows()
    {
        using var follower = await _log.FollowAsync();
        await _log.CaughtUpAsync(follower);
        var account = AccountDocument.Parse(await _log.ScalarAsync<string>("select document::text from query.accounts"));
        Assert.Equal(("en", AccountStatus.Active), (account.Language, account.Status));
        Assert.Null(account.Unreadable);
    }

    [Fact]
    public async Task gives_the_present_one_to_who_looks_at_the_past()
    {
        await using var connection = await _log.Database.OpenConnectionAsync();
        Assert.Equal("en", (await History.AtVersionAsync(new LogReader(_log.Database), connection, _id, 1, Wait.Token))!.Language);
    }

    [Fact]
    public async Task leaves_what_is_stored_as_it_is_and_copies_it_so()
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        await new Export(_log.Database, new LogReader(_log.Database, asStored: true), LogDatabase.Quiet).WriteAsync(output, long.MaxValue, null, Disclosure.Everything, Wait.Token);
        Assert.DoesNotContain("language", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(First, await _log.ScalarAsync<string>("select data::text from log.mt_events where version = 1"));
    }
}
