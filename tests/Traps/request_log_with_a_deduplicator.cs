namespace Signup.Tests.Traps;

public sealed class request_log_with_a_deduplicator(Stage stage)
{
    [Fact]
    public async Task it_is_right_and_has_no_answer_for_the_user_but_a_pipe_before_the_log_answers()
    {
        await using var database = await Stage.NaiveDatabaseAsync("""
            create table requests (position bigserial primary key, email text, name text);
            create table log (email text primary key, name text);
            create table checkpoint (position bigint); insert into checkpoint values (0)
            """);
        var naive = new RequestLog(database);

        Story.Tell("Requests go into a log of their own, as they come. One process reads them in order, and writes those into the real log whose address is still free.");
        var answers = new[] { await naive.SignUpAsync("ada@example.org", "Ada"), await naive.SignUpAsync("ada@example.org", "Eve") };
        await naive.DeduplicateAsync();
        await using var connection = await database.OpenConnectionAsync();
        Assert.Equal(["Ada"], await connection.QueryAsync<string>("select name from log"));
        Assert.Equal(["we will let you know", "we will let you know"], answers);
        Story.Tell("That is right: one event. But both had to be answered before anybody knew, and the one who decides has nobody to talk to.");

        Story.Tell("Here: the same two.");
        var email = Stage.NewEmail();
        var (ada, eve) = (await stage.SignUpAsync(email), await stage.SignUpAsync(email, "Eve"));
        Assert.Equal((201, 409), (ada.Status, eve.Status));
        Assert.Equal([Guid.Parse((string)ada.Json["id"]!)], await stage.AccountsWithAsync(email));
        Story.Tell("201 and 409, each while its user waits. Who decides stands before the log, not behind it, and whoever asks is asked back.");
    }
}

file sealed class RequestLog(NpgsqlDataSource database)
{
    public async Task<string> SignUpAsync(string email, string name)
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("insert into requests (email, name) values (@email, @name)", new { email, name });
        return "we will let you know";
    }

    public async Task DeduplicateAsync()
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            begin;
            insert into log select email, name from requests where position > (select position from checkpoint) order by position on conflict do nothing;
            update checkpoint set position = (select max(position) from requests);
            commit
            """);
    }
}
