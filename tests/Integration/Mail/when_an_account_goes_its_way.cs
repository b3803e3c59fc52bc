using System.Text.Json;
using RabbitMQ.Client;
using Signup.EventLog.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

public sealed class when_an_account_goes_its_way(MailAndProvider running) : IClassFixture<MailAndProvider>
{
    private static readonly Dictionary<string, string> Hasty = new()
    {
        ["Mail__Reminders__0"] = "00:00:02", ["Mail__Reminders__1"] = "00:00:10", ["Mail__ExpireAfter"] = "00:00:16", ["Mail__ExpireRepeat"] = "00:00:01", ["Mail__Poll"] = "00:00:00.1",
    };

    [Fact]
    public async Task it_is_reminded_twice_and_then_its_expiry_is_asked_for_until_it_is_heard_of()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailexpiry", smtp.Start(), Hasty);
        var id = await mail.SignUpAsync("ada@example.com");

        await using var channel = await mail.System.Broker.OpenChannelAsync(Wait.Token);
        var (first, headers) = await NextAsync<ExpireAccount>(channel, Topology.Accounts);
        var (second, _) = await NextAsync<ExpireAccount>(channel, Topology.Accounts);
        Assert.Equal((id, id), (first.AccountId, second.AccountId));
        // The time has come; nobody has asked for it.
        await using var created = mail.System.Database.CreateCommand($"select id::text from log.mt_events where stream_id = '{id}' and version = 1");
        Assert.Equal(("mail", (string)(await created.ExecuteScalarAsync())!), (headers[WireHeaders.Actor], headers[WireHeaders.RelatedTo]));
        Assert.Equal([$"<activation.{id}@signup.example>", $"<reminder-1.{id}@signup.example>", $"<reminder-2.{id}@signup.example>"], smtp.Mails.Select(m => m.MessageId));
        Assert.Single(smtp.Mails.Select(m => m.Link).Distinct());
        Assert.Equal(["activation", "reminder-1", "reminder-2"], (await mail.LogAsync(id)).OfType<Stored.ActivationMailSent>().Select(e => e.Purpose));

        await mail.AppendAsync(id, new Stored.AccountExpired("ada@example.com", DateTimeOffset.UtcNow));
        await using var left = mail.System.Database.CreateCommand("select count(*) from mail.activation");
        await Wait.UntilAsync(async () => (long)(await left.ExecuteScalarAsync())! == 0, "nothing is due any more");
    }

    [Fact]
    public async Task an_activation_before_the_mail_ends_it()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailactive", smtp, new() { ["Mail__ProbeFirst"] = "00:00:00.2", ["Mail__ProbeCap"] = "00:00:01" });
        // The provider is away.
        var waiting = await mail.SignUpAsync("waiting@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("waiting") == 1, "the mail waits");
        await mail.BreakerIsAsync("open");
        await mail.AppendAsync(waiting, new Stored.AccountActivated(DateTimeOffset.UtcNow));
        await Wait.UntilAsync(async () => await mail.CountAsync("waiting") == 0, "the activation is noted");

        smtp.Start();
        var last = await mail.SignUpAsync("last@example.com");
        await Wait.UntilAsync(async () => (await mail.LogAsync(last)).Length == 2, "a later mail is sent");
        Assert.Equal("last@example.com", Assert.Single(smtp.Mails).Recipient);
    }

    [Fact]
    public async Task the_user_gets_the_mail_again_but_not_twice_in_a_minute_even_across_a_restart()
    {
        var mail = running.Mail;
        var id = await mail.SignUpAsync("ada@example.com");
        await running.LogReachesAsync(id, 2);

        var asked = DateTimeOffset.UtcNow.AddMinutes(-2);
        await mail.SendAsync(new ResendActivationMail(id, asked));
        await running.LogReachesAsync(id, 3);
        await mail.Process.KillAsync();
        await mail.Process.StartAsync();
        await mail.SendAsync(new ResendActivationMail(id, asked.AddSeconds(59)));
        await mail.SendAsync(new ResendActivationMail(id, asked.AddSeconds(61)));
        await running.LogReachesAsync(id, 4);

        var mails = running.MailsOf(id);
        Assert.Equal([$"<activation.{id}@signup.example>", $"<resend-1.{id}@signup.example>", $"<resend-2.{id}@signup.example>"], mails.Select(m => m.MessageId));
        Assert.Single(mails.Select(m => m.Link).Distinct());
        await Wait.UntilAsync(async () => await mail.QueueLengthAsync(Topology.Mail) == 0, "all messages are handled");
        Assert.Equal(3, running.MailsOf(id).Count);
    }

    [Fact]
    public async Task whoever_subscribes_is_told_what_became_of_its_mails()
    {
        var mail = running.Mail;
        running.Smtp.OnRecipient = (_, address) => Task.FromResult(address == "nobody@example.net" ? "550 5.1.1 no such user" : null);
        await using var channel = await mail.System.Broker.OpenChannelAsync(Wait.Token);
        await Partner.SubscribeAsync(channel, "partner", typeof(ActivationMailSent), typeof(ActivationMailFailed), typeof(MailSent), typeof(MailFailed));

        var (ada, nobody) = (await mail.SignUpAsync("ada@example.com"), await mail.SignUpAsync("nobody@example.net"));
        var told = new[] { await NextAsync(), await NextAsync() };
        await mail.AppendAsync(ada, new Stored.EmailChanged("ada@example.com", "lovelace@example.com", DateTimeOffset.UtcNow));
        var changed = new[] { await NextAsync(), await NextAsync() };

        Assert.Equal([(nameof(ActivationMailSent), ada, 2, "activation"), (nameof(ActivationMailFailed), nobody, 2, "activation")], told.OrderByDescending(m => m.Type));
        Assert.Equal([(nameof(ActivationMailSent), ada, "activation~1"), (nameof(MailSent), ada, "email-changed-3")], changed.Select(m => (m.Type, m.Account, m.Purpose)).Order());

        async Task<(string Type, Guid Account, long Version, string Purpose)> NextAsync()
        {
            BasicGetResult? message = null;
            JsonElement body = default;
            // Others are told of, too.
            await Wait.UntilAsync(async () =>
            {
                if ((message = await channel.BasicGetAsync("partner", autoAck: true)) is null) return false;
                body = JsonDocument.Parse(message.Body).RootElement;
                return body.GetProperty("AccountId").GetGuid() is var told && (told == ada || told == nobody);
            }, "a message for the partner");
            var (account, version) = (body.GetProperty("AccountId").GetGuid(), body.GetProperty("Version").GetInt64());
            await using var ofEvent = mail.System.Database.CreateCommand($"select id::text from log.mt_events where stream_id = '{account}' and version = {version}");
            Assert.Equal(await ofEvent.ExecuteScalarAsync(), message!.BasicProperties.MessageId);
            return (message!.BasicProperties.Type!.Split('.')[^1], account, version, body.GetProperty("Purpose").GetString()!);
        }
    }

    [Fact]
    public async Task the_same_event_delivered_many_times_is_one_mail()
    {
        var mail = running.Mail;
        var id = await mail.SignUpAsync("ada@example.com");
        var again = new AccountCreated(id, 1, "Ada", "ada@example.com", "en", DateTimeOffset.UtcNow);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => mail.PublishAsync(again)));
        await running.LogReachesAsync(id, 2);
        await running.LogReachesAsync(await mail.SignUpAsync("last@example.com"), 2);
        Assert.Single(running.MailsOf(id));
    }

    [Fact]
    public async Task the_log_gets_its_facts_while_others_append_to_the_same_streams()
    {
        var mail = running.Mail;
        var ids = await mail.SignUpAsync(Faults.Addresses("race", 60));
        // Anything that does not end the account.
        await Task.WhenAll(ids.Select(id => mail.AppendAsync(id, new MessageRetried(id, Guid.NewGuid(), "a message", "mail", "somebody", DateTimeOffset.UtcNow))));
        foreach (var id in ids)
        {
            await running.LogReachesAsync(id, 3);
            Assert.Single((await mail.LogAsync(id)).OfType<Stored.ActivationMailSent>());
        }
    }

    private static async Task<(T Message, Dictionary<string, string> Headers)> NextAsync<T>(IChannel channel, string queue)
    {
        BasicGetResult? message = null;
        await Wait.UntilAsync(async () => (message = await channel.BasicGetAsync(queue, autoAck: true)) is not null, $"a message in {queue}");
        Assert.Equal(typeof(T).FullName, message!.BasicProperties.Type);
        return (JsonSerializer.Deserialize<T>(message.Body.Span, Wire.Json)!, Wire.Texts(message.BasicProperties.Headers));
    }
}
