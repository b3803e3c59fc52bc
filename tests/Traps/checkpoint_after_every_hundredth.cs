using Signup.Tests.Integration.Mail;

namespace Signup.Tests.Traps;

public sealed class checkpoint_after_every_hundredth(Stage stage)
{
    [Fact]
    public async Task killed_before_it_a_hundred_mails_come_twice_but_here_at_most_one_of_each_connection()
    {
        await using var database = await Stage.NaiveDatabaseAsync("""
            create table log (position bigserial primary key, email text); insert into log (email) select n || '@hundred.example' from generate_series(1, 200) n;
            create table checkpoint (position bigint); insert into checkpoint values (0)
            """);
        var naive = new CheckpointNowAndThen(database, stage.SendMailAsync);

        Story.Tell("To be quick, a mailer notes where it is after every hundredth mail. It is killed after two hundred, before it has noted that, and started again.");
        await Assert.ThrowsAsync<KilledException>(() => naive.RunAsync(beforeNote: position => position == 200 ? Stage.Dies() : Stage.Lives()));
        await naive.RunAsync(_ => Stage.Lives());
        Assert.Equal(100, stage.Smtp.Mails.Where(m => m.Recipient.EndsWith("@hundred.example", StringComparison.Ordinal)).GroupBy(m => m.Recipient).Count(copies => copies.Count() == 2));
        Story.Tell("A hundred people got it twice.");

        Story.Tell("Here: Mail, which may use two connections, is killed when the provider has taken the two hundredth mail.");
        var domain = $"{Guid.NewGuid():N}.example";
        await stage.KillMailAsync(200, domain, async () =>
        {
            await using var connection = await stage.System.Database.OpenConnectionAsync();
            await Stage.AppendAsync(connection, [.. Enumerable.Range(0, 210).Select(n => $"{n}@{domain}")]);
        });
        await Wait.UntilAsync(() => Task.FromResult(Copies().Count == 210), "all get theirs");
        Assert.InRange(Copies().Count(copies => copies.Count() > 1), 1, 2);
        Assert.All(Copies(), copies => Assert.Single(copies.Select(m => m.MessageId).Distinct()));
        Story.Tell("Each connection has one mail in hand. That may come twice, as the same; the others do not.");

        List<IGrouping<string, ReceivedMail>> Copies() => [.. stage.Smtp.Mails.Where(m => m.Recipient.EndsWith(domain, StringComparison.Ordinal)).GroupBy(m => m.Recipient)];
    }
}

file sealed class CheckpointNowAndThen(NpgsqlDataSource database, Func<string, Task> sendMail)
{
    public async Task RunAsync(Func<long, Task> beforeNote)
    {
        await using var connection = await database.OpenConnectionAsync();
        foreach (var (position, email) in await connection.QueryAsync<(long Position, string Email)>("select position, email from log where position > (select position from checkpoint) order by position"))
        {
            await sendMail(email);
            if (position % 100 > 0) continue;
            await beforeNote(position);
            await connection.ExecuteAsync("update checkpoint set position = @position", new { position });
        }
    }
}
