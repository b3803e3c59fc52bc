namespace Signup.Tests.Traps;

public sealed class lock_with_a_time_to_live(Stage stage)
{
    [Fact]
    public async Task a_pause_outlives_it_and_two_hold_it_but_who_pauses_in_a_transaction_comes_back_to_none()
    {
        await using var database = await Stage.NaiveDatabaseAsync("create table lease (address text primary key, until timestamptz); create table log (position bigserial primary key, email text, by text)");
        var naive = new UnderLease(database);

        Story.Tell("The first takes the lock on an address for a tenth of a second, sees that it is free, and pauses: the collector runs, the machine sleeps. The second waits until the lock has expired, and gets it.");
        var (pausing, pause) = (new TaskCompletionSource(), new TaskCompletionSource());
        var first = naive.TrySignUpAsync("ada@example.org", "first", () =>
        {
            pausing.SetResult();
            return pause.Task;
        });
        await pausing.Task.WaitAsync(Wait.Deadline);
        await Wait.UntilAsync(() => naive.TrySignUpAsync("ada@example.org", "second", Stage.Lives), "the lock has expired");
        pause.SetResult();
        Assert.True(await first);
        await using var connection = await database.OpenConnectionAsync();
        Assert.Equal(["second", "first"], await connection.QueryAsync<string>("select by from log where email = 'ada@example.org' order by position"));
        await Story.ShowAsync("the naive log", database, "select position, email, by from log order by position");
        Story.Tell("The first wakes up, believes that it holds the lock, and writes. Two events, one address. No time to live is long enough for every pause.");

        Story.Tell("Here: one instance is frozen after its claim and before its commit.");
        var (email, frozen, other) = (Stage.NewEmail(), Guid.NewGuid(), Guid.NewGuid());
        Task<int> slow;
        await using (var held = await stage.HoldAppendsAsync())
        {
            slow = stage.ProposeAsync(stage.Second, frozen, email);
            await held.HasClaimedAsync();
            await stage.Second.FreezeAsync();
        }
        try
        {
            await Wait.UntilAsync(async () => await stage.ProposeAsync(stage.System["Uniqueness"], other, email) == 200, "the database takes the frozen transaction back, and another gets the address");
        }
        finally
        {
            await stage.Second.ContinueAsync();
        }
        Assert.Equal(409, await slow);
        Assert.Equal([other], await stage.AccountsWithAsync(email));
        await Story.ShowAsync("the claim", stage.System.Database, "select value, stream_id from uniqueness.claims where value = @email", new { email });
        Story.Tell("Whoever wakes up finds the transaction gone, claim and event with it, and says so: the fence is where the data is.");
    }
}

file sealed class UnderLease(NpgsqlDataSource database)
{
    public async Task<bool> TrySignUpAsync(string email, string by, Func<Task> pause)
    {
        await using var connection = await database.OpenConnectionAsync();
        var holds = await connection.ExecuteAsync("""
            insert into lease values (@email, clock_timestamp() + interval '0.1 s')
            on conflict (address) do update set until = excluded.until where lease.until < clock_timestamp()
            """, new { email }) == 1;
        if (!holds || await connection.ExecuteScalarAsync<bool>("select exists (select from log where email = @email)", new { email })) return false;
        await pause();
        await connection.ExecuteAsync("insert into log (email, by) values (@email, @by)", new { email, by });
        return true;
    }
}
