using Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Query;

public sealed class auditing_the_read_model : IAsyncLifetime
{
    private static readonly DateTimeOffset Later = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private readonly Guid[] _ids = [.. Enumerable.Range(0, 5).Select(_ => Guid.NewGuid())];
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync()
    {
        _log = await LogDatabase.CreateAsync("auditing");
        foreach (var id in _ids) await _log.AppendAsync(id, LogDatabase.Created($"{id}@example.org"), new ActivationMailSent("activation", Later));
        using var follower = await _log.FollowAsync();
        await _log.CaughtUpAsync(follower);
        await follower.StopAsync(Wait.Token);
    }

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task finds_nothing_where_all_is_well() => Assert.Empty(await _log.AuditAsync());

    [Fact]
    public async Task raises_no_false_alarm_where_the_read_model_is_behind()
    {
        await _log.AppendAsync(_ids[0], new AccountActivated(Later));
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("new@example.org"));
        Assert.Empty(await _log.AuditAsync());
    }

    [Theory]
    [InlineData("delete from query.accounts where id = '{0}'", "the document is missing")]
    [InlineData("""update query.accounts set document = jsonb_set(document, '{{mail,state}}', '"queued"') where id = '{0}'""", "the document differs in: mail")]
    [InlineData("""update query.accounts set document = document || '{{"version":9}}' where id = '{0}'""", "the document differs in: version")]
    [InlineData("""update query.accounts set document = document - 'username' where id = '{0}'""", "the document differs in: username")]
    [InlineData("update query.accounts set email = 'x' where id = '{0}'", "the document differs in: the indexed e-mail address")]
    [InlineData("insert into query.accounts (id, document, email) select '00000000-0000-0000-0000-000000000001', document, 'x' from query.accounts where id = '{0}'", "a document without an account")]
    public async Task finds_what_differs_and_mends_it(string damage, string finding)
    {
        await _log.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, damage, _ids[2]));
        Assert.EndsWith(finding, Assert.Single(await _log.AuditAsync()).ToString(), StringComparison.Ordinal);
        Assert.Single(await _log.AuditAsync(repair: true));
        Assert.Empty(await _log.AuditAsync());
    }

    [Fact]
    public async Task says_that_a_rebuild_is_due_where_the_shape_is_another()
    {
        await _log.ExecuteAsync("update query.generation set shape = shape - 1");
        Assert.Contains("run rebuild", (await Assert.ThrowsAsync<InvalidOperationException>(() => _log.AuditAsync())).Message, StringComparison.Ordinal);
    }
}
