using System.Text.Json;
using System.Text.Json.Nodes;
using RabbitMQ.Client;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Mail;
using Signup.Query.Commands;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

/// <summary>The log knows who is owed a mail, and who is not. Messages are only faster.</summary>
public sealed class when_messages_do_not_arrive
{
    [Fact]
    public async Task those_of_whom_none_tells_and_those_of_whom_one_told_nobody_get_their_mail_all_the_same()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailnone", smtp.Start());
        await mail.SignUpAsync(["untold@example.com"], tell: false);
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the mail of which no message tells is recorded");

        await mail.Process.StopAsync();
        await mail.SignUpAsync(Faults.Addresses("unheard", 30));
        await using (var channel = await mail.System.Broker.OpenChannelAsync(Wait.Token)) await channel.QueueDeleteAsync(Topology.Mail, cancellationToken: Wait.Token);
        await mail.Process.StartAsync();
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 31, "all mails are recorded");
        Assert.Equal(31, smtp.Mails.Select(m => m.Recipient).Distinct().Count());
        Assert.Equal(31, smtp.Mails.Count);
    }

    [Fact]
    public async Task an_import_of_many_who_are_long_active_sends_mails_to_those_alone_who_were_never_sent_one()
    {
        const int accounts = 5_000;
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailimport", smtp.Start(), new() { ["Mail__Connections"] = "1" });
        var file = Path.Combine(mail.System.Parts.Directory, "history.jsonl");
        await File.WriteAllLinesAsync(file, LongActive(accounts));

        var (exitCode, output) = await mail.System.RunAsync("Query", "import", "--from", file);
        Assert.True(exitCode == 0, output);
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 2, "the one mail that is owed is recorded", TimeSpan.FromMinutes(2));
        await mail.ReachesEndOfLogAsync();
        Assert.Equal("owed@example.com", Assert.Single(smtp.Mails).Recipient);
        await using var pending = mail.System.Database.CreateCommand("select count(*) from mail.activation");
        Assert.Equal(2L, await pending.ExecuteScalarAsync());
    }

    [Fact]
    public async Task a_mail_that_was_sent_is_not_sent_again_when_all_that_mail_had_stored_is_lost()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailanew", smtp.Start(), new() { ["Mail__ResendCooldown"] = "00:00:00" });
        var id = await mail.SignUpAsync("ada@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the mail is recorded");
        await mail.SendAsync(new ResendActivationMail(id, DateTimeOffset.UtcNow));
        await Wait.UntilAsync(async () => await mail.CountAsync<Stored.ActivationMailSent>() == 2, "the mail is sent again");
        await mail.Process.StopAsync();
        await using (var drop = mail.System.Database.CreateCommand("drop table mail.activation, mail.checkpoint")) await drop.ExecuteNonQueryAsync();

        await mail.Process.StartAsync();
        await mail.ReachesEndOfLogAsync();
        await mail.SendAsync(new ResendActivationMail(id, DateTimeOffset.UtcNow));
        await Wait.UntilAsync(async () => await mail.CountAsync<Stored.ActivationMailSent>() == 3, "the mail is sent a third time");
        Assert.Equal(["activation", "resend-1", "resend-2"], smtp.Mails.Select(m => m.MessageId.Trim('<').Split('.')[0]));
        Assert.Single(smtp.Mails.Select(m => m.Link).Distinct());
    }

    [Fact]
    public async Task an_event_that_cannot_be_read_costs_nobody_else_a_mail()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailodd", smtp.Start());
        await mail.Process.StopAsync();
        var odd = (await mail.SignUpAsync(["odd@example.com"], tell: false))[0];
        await mail.System.Database.TamperAsync($"update log.mt_events set data = data - 'email' where stream_id = '{odd}'");
        await mail.SignUpAsync(["ada@example.com"], tell: false);
        await mail.Process.StartAsync();
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the mail is recorded");
        Assert.Equal("ada@example.com", Assert.Single(smtp.Mails).Recipient);
        Assert.Contains(odd.ToString(), Assert.Single(mail.Process.LogLines("cannot be read, and is left out")), StringComparison.Ordinal);
    }

    /// <summary>They all sign up, and later they are all activated, but for two: one was sent the mail, the other was not. So the seam between two of a reader's
    /// batches lies between any account's beginning and end.</summary>
    private static IEnumerable<string> LongActive(int accounts)
    {
        var signedUp = DateTimeOffset.UtcNow.AddDays(-400);
        var (position, ids) = (0L, Enumerable.Range(0, accounts).Select(_ => Guid.CreateVersion7()).ToArray());
        foreach (var id in ids) yield return Line(id, 1, new Stored.AccountCreated("Ada", $"{position}@example.com", "$argon2id$", "en", signedUp), signedUp);
        var (told, owed) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var now = DateTimeOffset.UtcNow;
        yield return Line(told, 1, new Stored.AccountCreated("Ada", "told@example.com", "$argon2id$", "en", now), now);
        yield return Line(owed, 1, new Stored.AccountCreated("Ada", "owed@example.com", "$argon2id$", "en", now), now);
        yield return Line(told, 2, new Stored.ActivationMailSent("activation", now), now);
        foreach (var id in ids) yield return Line(id, 2, new Stored.ActivationMailSent("activation", signedUp.AddMinutes(1)), signedUp);
        foreach (var id in ids) yield return Line(id, 3, new Stored.AccountActivated(signedUp.AddHours(1)), signedUp);

        string Line(Guid stream, long version, object e, DateTimeOffset at) => JsonSerializer.Serialize(
            new ExportedEvent(++position, stream, version, Guid.NewGuid(), EventTypes.Of(e).Name, at, (JsonObject)JsonSerializer.SerializeToNode(e, e.GetType(), LogJson.Options)!), Export.Json);
    }
}
