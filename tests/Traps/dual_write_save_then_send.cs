using System.Text;
using RabbitMQ.Client;
using Signup.Messages.Accounts;

namespace Signup.Tests.Traps;

public sealed class dual_write_save_then_send(Stage stage)
{
    [Fact]
    public async Task killed_in_between_nobody_hears_of_the_account_but_whatever_is_in_the_log_is_told_by_whoever_is_alive()
    {
        await using var database = await Stage.NaiveDatabaseAsync("create table accounts (email text primary key)");
        await using var channel = await stage.System.Broker.OpenChannelAsync(Wait.Token);
        await channel.QueueDeclareAsync("naive-sign-ups", durable: true, exclusive: false, autoDelete: false);
        var naive = new SaveThenSend(database, channel);

        Story.Tell("Ada signs up. Her account is saved, and the process is killed before it has sent the message that Mail waits for.");
        await Assert.ThrowsAsync<KilledException>(() => naive.SignUpAsync("ada@example.org", inBetween: Stage.Dies));
        await using var connection = await database.OpenConnectionAsync();
        Assert.Equal(1, await connection.ExecuteScalarAsync<long>("select count(*) from accounts"));
        Assert.Equal(0u, await channel.MessageCountAsync("naive-sign-ups"));
        await Story.ShowAsync("accounts (and an empty queue)", database, "select email from accounts");
        Story.Tell("There is an account and no message, and nobody left who would know that one is due. Sending first is no better: then there is a mail, and no account.");

        Story.Tell("Here: the event is committed, and what would tell of it is held up. The process that has committed it is killed.");
        await Partner.SubscribeAsync(channel, "traps-partner", [typeof(AccountCreated)]);
        var uniqueness = stage.System["Uniqueness"];
        try
        {
            Guid account;
            string email;
            await using (var publisher = await stage.System.Database.OpenConnectionAsync())
            {
                await publisher.ExecuteAsync("begin; lock table publisher.checkpoint in exclusive mode");
                (email, account, _) = await stage.SignUpAsync();
                Assert.False(await HeardAsync(account));
                await Story.ShowAsync("in the log, and not told of yet", stage.System.Database, "select seq_id as position, type, version from log.mt_events where stream_id = @account", new { account });
                await uniqueness.KillAsync();
            }
            await Wait.UntilAsync(() => HeardAsync(account), "the others tell of it: the log is the outbox, and everybody's");
            await Wait.UntilAsync(() => Task.FromResult(stage.MailsTo(email).Count == 1), "the mail is sent");
            await Story.ShowAsync("the publisher's checkpoint", stage.System.Database, "select position from publisher.checkpoint");
            Story.Tell("Another process has told of it, and the mail is out. There is one write, the event; what is still to be told is what is behind the checkpoint, for whoever is alive to read.");
        }
        finally
        {
            await uniqueness.StartAsync();
        }

        async Task<bool> HeardAsync(Guid account)
        {
            while (await channel.BasicGetAsync("traps-partner", autoAck: true, Wait.Token) is { } message)
                if (Encoding.UTF8.GetString(message.Body.Span).Contains($"{account}", StringComparison.Ordinal)) return true;
            return false;
        }
    }
}

file sealed class SaveThenSend(NpgsqlDataSource database, IChannel channel)
{
    public async Task SignUpAsync(string email, Func<Task> inBetween)
    {
        await using var connection = await database.OpenConnectionAsync();
        await connection.ExecuteAsync("insert into accounts (email) values (@email)", new { email });
        await inBetween();
        await channel.BasicPublishAsync("", "naive-sign-ups", Encoding.UTF8.GetBytes(email));
    }
}
