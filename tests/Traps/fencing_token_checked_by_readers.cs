namespace Signup.Tests.Traps;

public sealed class fencing_token_checked_by_readers(Stage stage)
{
    [Fact]
    public async Task the_event_of_a_stale_holder_is_in_the_log_all_the_same_but_here_the_log_itself_refuses_it()
    {
        await using var database = await Stage.NaiveDatabaseAsync("""
            create table lease (account text primary key, token bigint); insert into lease values ('ada', 0);
            create table log (position bigserial primary key, account text, token bigint, email text)
            """);
        var naive = new Fenced(database);

        Story.Tell("Two want to change Ada's address. The first takes the lock and its token, 1, and pauses; the lock expires; the second takes it with token 2, and writes. The first wakes up, and writes with token 1.");
        var (first, second) = (await naive.LockAsync("ada"), await naive.LockAsync("ada"));
        await naive.AppendAsync("ada", second, "second@example.org");
        var welcomed = await naive.AppendAsync("ada", first, "first@example.org");
        Assert.Equal("second@example.org", await naive.ReadAsync("ada"));
        await using var connection = await database.OpenConnectionAsync();
        Assert.Equal((true, "first@example.org"), (welcomed, await connection.ExecuteScalarAsync<string>("select email from log order by position desc limit 1")));
        Story.Tell("This reader knows the rule and skips it. It is in the log all the same: the next consumer, written next year by somebody else, shows the first one's address. And the first one was told that it worked.");

        Story.Tell("Here: two have read the account at version 1. The second writes, then the first does.");
        var (account, created) = (Guid.NewGuid(), Stage.NewEmail());
        Assert.Equal(200, await stage.ProposeAsync(stage.Second, account, created));
        Assert.Equal(200, await ChangeAsync(stage.Second));
        Assert.Equal(409, await ChangeAsync(stage.System["Uniqueness"]));
        Assert.Equal(2, (await stage.System.Database.EventsAsync()).Count(e => e.StreamId == account));
        Story.Tell("Its 'token' is the version that it has read, and is checked by whoever writes the log, in the transaction that writes. What was refused is nowhere, so no reader need know.");

        Task<int> ChangeAsync(SignupProcess instance) => stage.ProposeAsync(instance, HttpMethod.Patch,
            new { streamId = account, expectedVersion = 1, type = "EmailChanged", data = new { oldEmail = created, newEmail = Stage.NewEmail(), changedAt = DateTimeOffset.UtcNow } });
    }
}

file sealed class Fenced(NpgsqlDataSource database)
{
    /// <summary>Whoever held it before has paused for longer than its time to live.</summary>
    public async Task<long> LockAsync(string account) => await AskAsync<long>("update lease set token = token + 1 where account = @account returning token", new { account });

    public async Task<bool> AppendAsync(string account, long token, string email) => await AskAsync<bool>("insert into log (account, token, email) values (@account, @token, @email) returning true", new { account, token, email });

    /// <summary>A reader with the rule: an event whose token is lower than one before it does not count.</summary>
    public async Task<string?> ReadAsync(string account) => await AskAsync<string>("""
        select email from (select *, max(token) over (order by position) as highest from log where account = @account) l
        where token = highest order by position desc limit 1
        """, new { account });

    private async Task<T?> AskAsync<T>(string sql, object values)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.ExecuteScalarAsync<T>(sql, values);
    }
}
