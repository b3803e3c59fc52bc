namespace Signup.Tests.Traps;

public sealed class lock_without_a_time_to_live(Stage stage)
{
    [Fact]
    public async Task its_holder_dies_and_nobody_ever_gets_the_address_but_a_killed_instance_leaves_nothing_behind()
    {
        await using var database = await Stage.NaiveDatabaseAsync("create table locks (address text primary key, holder text); create table log (position bigserial primary key, email text)");
        var naive = new UnderLock(database);

        Story.Tell("A process takes the lock on an address, and is killed before it has written.");
        await Assert.ThrowsAsync<KilledException>(() => naive.TrySignUpAsync("ada@example.org", "first", inBetween: Stage.Dies));
        Assert.False(await naive.TrySignUpAsync("ada@example.org", "second", Stage.Lives));
        await using var connection = await database.OpenConnectionAsync();
        Assert.Equal((0, "first"), await connection.QuerySingleAsync<(long, string)>("select (select count(*) from log), holder from locks"));
        Story.Tell("Nobody has the address, and nobody can have it: the lock belongs to one who will not come back.");

        Story.Tell("Here: an instance is killed after its claim and before its commit.");
        var (email, killed, other) = (Stage.NewEmail(), Guid.NewGuid(), Guid.NewGuid());
        try
        {
            await using (var held = await stage.HoldAppendsAsync())
            {
                var cut = stage.ProposeAsync(stage.Second, killed, email);
                await held.HasClaimedAsync();
                await stage.Second.KillAsync();
                await Assert.ThrowsAsync<HttpRequestException>(() => cut);
            }
            await Wait.UntilAsync(async () => await stage.ProposeAsync(stage.System["Uniqueness"], other, email) == 200, "the other instance gives the address to whoever asks next");
        }
        finally
        {
            await stage.Second.StartAsync();
        }
        Assert.Equal([other], await stage.AccountsWithAsync(email));
        Story.Tell("Its connection ended with it, and its transaction with that. There was no lock to be left behind.");
    }
}

file sealed class UnderLock(NpgsqlDataSource database)
{
    public async Task<bool> TrySignUpAsync(string email, string by, Func<Task> inBetween)
    {
        await using var connection = await database.OpenConnectionAsync();
        if (await connection.ExecuteAsync("insert into locks values (@email, @by) on conflict do nothing", new { email, by }) == 0) return false;
        await inBetween();
        await connection.ExecuteAsync("insert into log (email) values (@email)", new { email });
        await connection.ExecuteAsync("delete from locks where address = @email", new { email });
        return true;
    }
}
