using Signup.Hosting;
using Signup.Tests.Fixture;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

/// <summary>A link proves the address that it was mailed to. So each address gets its own, and the one before is told.</summary>
public sealed class when_an_address_changes
{
    [Fact]
    public async Task the_new_one_gets_a_link_of_its_own_and_the_old_one_a_notice_without_any()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailmoved", smtp.Start());
        var id = await mail.SignUpAsync("old@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the first mail is recorded");
        await ChangeAsync(mail, id, "old@example.com", "new@example.com");
        await Wait.UntilAsync(async () => (await mail.LogAsync(id)).Length == 5, "both mails are recorded");

        Assert.Equal([("old@example.com", $"<activation.{id}@signup.example>")], Mails(smtp).Take(1));
        Assert.Equal([("new@example.com", $"<activation~1.{id}@signup.example>"), ("old@example.com", $"<email-changed-3.{id}@signup.example>")], Mails(smtp).Skip(1).Order());
        var links = smtp.Mails.ToLookup(m => m.MessageId.Trim('<').Split('.')[0], m => m.Link);
        Assert.Equal([0, 1], new[] { links["activation"], links["activation~1"] }.Select(l => GenerationOf(mail, l.Single())));
        Assert.Equal("", links["email-changed-3"].Single());
        var log = await mail.LogAsync(id);
        Assert.Equal(["activation", "activation~1"], log.OfType<Stored.ActivationMailSent>().Select(f => f.Purpose));
        Assert.Equal("email-changed-3", log.OfType<Stored.MailSent>().Single().Purpose);
        Assert.Equal(1, await mail.CountAsync("sent"));
        Assert.Equal(0, await mail.CountAsync("waiting"));
    }

    [Fact]
    public async Task of_an_active_account_only_the_old_one_is_told()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailmovedactive", smtp.Start());
        var id = await mail.SignUpAsync("old@example.com", language: "de");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the first mail is recorded");
        await mail.AppendAsync(id, new Stored.AccountActivated(DateTimeOffset.UtcNow));
        await ChangeAsync(mail, id, "old@example.com", "new@example.com");
        await Wait.UntilAsync(async () => (await mail.LogAsync(id))[^1] is Stored.MailSent, "the notice is recorded");

        Assert.Equal(("old@example.com", $"<email-changed-4.{id}@signup.example>"), Mails(smtp).Last());
        Assert.Equal("de", smtp.Mails.Last().Header("Content-Language"));
        Assert.Equal(2, smtp.Mails.Count);
        await using var left = mail.System.Database.CreateCommand("select count(*) from mail.activation");
        Assert.Equal(0L, await left.ExecuteScalarAsync());
    }

    [Fact]
    public async Task a_refusal_of_the_notice_concerns_nobody_else()
    {
        await using var smtp = new SmtpServer { OnRecipient = (_, to) => Task.FromResult(to.Contains("old@", StringComparison.Ordinal) ? "550 5.1.1 no such user" : null) };
        await using var mail = await MailProcess.StartAsync("mailmovedbad", smtp.Start());
        var id = await mail.SignUpAsync("old@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("failed") == 1, "the first mail is given up");
        await ChangeAsync(mail, id, "old@example.com", "new@example.com");
        await Wait.UntilAsync(async () => (await mail.LogAsync(id)).Length == 5, "both mails are recorded");

        Assert.Equal("new@example.com", Assert.Single(smtp.Mails).Recipient);
        Assert.Equal(1, await mail.CountAsync("sent"));
        Assert.Equal(("email-changed-3", "mailbox-unavailable"), (await mail.LogAsync(id)).OfType<Stored.MailFailed>().Select(f => (f.Purpose, f.Reason)).Single());
    }

    [Fact]
    public async Task whatever_mail_had_stored_may_be_lost_and_nobody_is_told_twice_nor_of_what_is_long_past()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailmovedanew", smtp.Start());
        var id = await mail.SignUpAsync("a@example.com");
        await ChangeAsync(mail, id, "a@example.com", "b@example.com");
        await ChangeAsync(mail, id, "b@example.com", "c@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync<Stored.MailSent>() == 2 && await mail.CountAsync("sent") == 1, "all mails are recorded");
        var mails = smtp.Mails.Count;
        await mail.Process.StopAsync();
        await using (var drop = mail.System.Database.CreateCommand("drop table mail.activation, mail.checkpoint")) await drop.ExecuteNonQueryAsync();
        // Before there were notices.
        var early = await mail.SignUpAsync("early@example.com");
        await mail.AppendAsync(early, new Stored.AccountActivated(DateTimeOffset.UtcNow));
        await mail.AppendAsync(early, new Stored.EmailChanged("early@example.com", "later@example.com", DateTimeOffset.UtcNow.AddDays(-8)));

        await mail.Process.StartAsync();
        await mail.ReachesEndOfLogAsync();
        Assert.Equal(0, await mail.CountAsync("waiting"));
        var last = await mail.SignUpAsync("last@example.com");
        await Wait.UntilAsync(async () => (await mail.LogAsync(last)).Length == 2, "a later mail is sent");
        Assert.Equal(["last@example.com"], smtp.Mails.Skip(mails).Select(m => m.Recipient));
        Assert.Equal(("c@example.com", 2), (smtp.Mails.Single(m => m.MessageId.Contains("activation~2", StringComparison.Ordinal)).Recipient, GenerationOf(mail, smtp.Mails.Single(m => m.MessageId.Contains("activation~2", StringComparison.Ordinal)).Link)));
    }

    private static Task ChangeAsync(MailProcess mail, Guid id, string from, string to) => mail.AppendAsync(id, new Stored.EmailChanged(from, to, DateTimeOffset.UtcNow));

    private static IEnumerable<(string, string)> Mails(SmtpServer smtp) => smtp.Mails.Select(m => (m.Recipient, m.MessageId));

    private static int GenerationOf(MailProcess mail, string link) =>
        new SignedTokens(mail.System.SigningKey, TimeProvider.System).Read("activation", link.Split('=')[1], out _, out var generation) == TokenState.Valid ? generation : -1;
}
