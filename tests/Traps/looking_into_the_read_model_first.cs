using Signup.Tests.Integration.Gateway;

namespace Signup.Tests.Traps;

public sealed class looking_into_the_read_model_first(Stage stage)
{
    [Fact]
    public async Task two_who_look_at_once_both_get_it_but_the_primary_key_on_claims_gives_it_to_one()
    {
        await using var database = await Stage.NaiveDatabaseAsync("create table log (position bigserial primary key, email text)");
        var (naive, bothHaveLooked) = (new LooksFirst(database), Stage.Meeting(of: 2));

        Story.Tell("Two people want one address at the same time. Both look, and find that nobody has it. Then both write.");
        var welcome = await Task.WhenAll(naive.SignUpAsync("ada@example.org", bothHaveLooked), naive.SignUpAsync("ada@example.org", bothHaveLooked));
        await using var connection = await database.OpenConnectionAsync();
        Assert.Equal([true, true], welcome);
        Assert.Equal(2, await connection.ExecuteScalarAsync<long>("select count(*) from log where email = 'ada@example.org'"));
        await Story.ShowAsync("the naive log", database, "select position, email from log order by position");
        Story.Tell("Both have it. Looking twice, or faster, makes it rarer and no less wrong. Behind a read model that follows the log it is worse: it may be seconds old.");

        Story.Tell("Here: both are on their way before either can write.");
        var email = Stage.NewEmail();
        Task<Answer>[] both;
        await using (var held = await stage.HoldAppendsAsync())
        {
            both = [stage.SignUpAsync(email), stage.SignUpAsync(email)];
            await held.HasClaimedAsync();
        }
        Assert.Equal([201, 409], (await Task.WhenAll(both)).Select(a => a.Status).Order());
        Assert.Single(await stage.AccountsWithAsync(email));
        await Story.ShowAsync("the claim", stage.System.Database, "select value, stream_id from uniqueness.claims where value = @email", new { email });
        Story.Tell("One heard 201, the other 409. Who claims it writes a row whose primary key is the address, in the transaction that appends the event.");
    }
}

file sealed class LooksFirst(NpgsqlDataSource database)
{
    public async Task<bool> SignUpAsync(string email, Func<Task> hasLooked)
    {
        await using var connection = await database.OpenConnectionAsync();
        if (await connection.ExecuteScalarAsync<bool>("select exists (select from log where email = @email)", new { email })) return false;
        await hasLooked();
        await connection.ExecuteAsync("insert into log (email) values (@email)", new { email });
        return true;
    }
}
