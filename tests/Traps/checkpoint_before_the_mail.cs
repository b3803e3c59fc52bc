namespace Signup.Tests.Traps;

public sealed class checkpoint_before_the_mail(Stage stage)
{
    [Fact]
    public async Task killed_in_between_the_mail_is_never_sent_but_noted_after_it_at_worst_one_mail_comes_twice_as_the_same()
    {
        await using var database = await Stage.NaiveDatabaseAsync("""
            create table log (position bigserial primary key, email text); insert into log (email) values ('before@example.org');
            create table checkpoint (position bigint); insert into checkpoint values (0)
            """);
        var naive = new CheckpointFirst(database, stage.SendMailAsync);

        Story.Tell("A mailer notes that it is past an event, and is killed before it has sent the mail. It is started again.");
        await Assert.ThrowsAsync<KilledException>(() => naive.RunAsync(inBetween: Stage.Dies));
        await naive.RunAsync(Stage.Lives);
        Assert.Empty(stage.MailsTo("before@example.org"));
        await Story.ShowAsync("where the naive mailer is", database, "select position, (select max(position) from log) as end_of_log from checkpoint");
        Story.Tell("Nothing is left to be done, it says. The mail was never sent.");

        Story.Tell("Here: Mail is killed between the two steps, too: the provider has taken the mail, and Mail has not heard so.");
        var email = Stage.NewEmail();
        await stage.KillMailAsync(1, email, async () => Assert.Equal(201, (await stage.SignUpAsync(email)).Status));
        await Wait.UntilAsync(() => Task.FromResult(stage.MailsTo(email).Count == 2), "it is sent again");
        Assert.Single(stage.MailsTo(email).Select(m => (m.MessageId, m.Link)).Distinct());
        foreach (var copy in stage.MailsTo(email)) Story.Tell($"Message-ID: {copy.MessageId}");
        Story.Tell("It comes twice, with the same Message-ID, so mail programs show it once, and with the same link, so either copy works.");
    }
}

file sealed class CheckpointFirst(NpgsqlDataSource database, Func<string, Task> sendMail)
{
    public async Task RunAsync(Func<Task> inBetween)
    {
        await using var connection = await database.OpenConnectionAsync();
        while (await connection.QuerySingleOrDefaultAsync<(long Position, string? Email)>("select position, email from log where position > (select position from checkpoint) order by position limit 1") is { Email: { } email, Position: var position })
        {
            await connection.ExecuteAsync("update checkpoint set position = @position", new { position });
            await inBetween();
            await sendMail(email);
        }
    }
}
