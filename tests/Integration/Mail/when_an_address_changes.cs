using Signup.Hosting;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

/// <summary>A link proves the address that it was mailed to. So each address gets its own, and the one before is told.</summary>
public sealed class when_an_address_changes(MailAndProvider running) : IClassFixture<MailAndProvider>
{
    private MailProcess Mail => running.Mail;

    [Fact]
    public async Task the_new_one_gets_a_link_of_its_own_and_the_old_one_a_notice_without_any()
    {
        var id = await Mail.SignUpAsync("old@example.com");
        await running.LogReachesAsync(id, 2);
        await ChangeAsync(id, "old@example.com", "new@example.com");
        await running.LogReachesAsync(id, 5);

        var mails = running.MailsOf(id);
        Assert.Equal([("old@example.com", $"<activation.{id}@signup.example>")], mails.Take(1).Select(Envelope));
        Assert.Equal([("new@example.com", $"<activation~1.{id}@signup.example>"), ("old@example.com", $"<email-changed-3.{id}@signup.example>")], mails.Skip(1).Select(Envelope).Order());
        var links = mails.ToDictionary(m => m.MessageId.Trim('<').Split('.')[0], m => m.Link);
        Assert.Equal((0, 1, ""), (GenerationOf(links["activation"]), GenerationOf(links["activation~1"]), links["email-changed-3"]));
        var log = await Mail.LogAsync(id);
        Assert.Equal(["activation", "activation~1"], log.OfType<Stored.ActivationMailSent>().Select(f => f.Purpose));
        Assert.Equal("email-changed-3", log.OfType<Stored.MailSent>().Single().Purpose);
        Assert.Equal(["sent"], await RowsAsync(id));
    }

    [Fact]
    public async Task of_an_active_account_only_the_old_one_is_told()
    {
        var id = await Mail.SignUpAsync("old@example.com", language: "de");
        await running.LogReachesAsync(id, 2);
        await Mail.AppendAsync(id, new Stored.AccountActivated(DateTimeOffset.UtcNow));
        await ChangeAsync(id, "old@example.com", "new@example.com");
        await running.LogReachesAsync(id, 5);

        var mails = running.MailsOf(id);
        Assert.Equal([("old@example.com", $"<activation.{id}@signup.example>"), ("old@example.com", $"<email-changed-4.{id}@signup.example>")], mails.Select(Envelope));
        Assert.Equal("de", mails[1].Header("Content-Language"));
        Assert.Empty(await RowsAsync(id));
    }

    [Fact]
    public async Task a_refusal_of_the_notice_concerns_nobody_else()
    {
        running.Smtp.OnRecipient = (_, to) => Task.FromResult(to.Contains("refused@", StringComparison.Ordinal) ? "550 5.1.1 no such user" : null);
        var id = await Mail.SignUpAsync("refused@example.com");
        await running.LogReachesAsync(id, 2);
        await ChangeAsync(id, "refused@example.com", "new@example.com");
        await running.LogReachesAsync(id, 5);

        Assert.Equal("new@example.com", Assert.Single(running.MailsOf(id)).Recipient);
        Assert.Equal(["sent"], await RowsAsync(id));
        Assert.Equal(("email-changed-3", "mailbox-unavailable"), (await Mail.LogAsync(id)).OfType<Stored.MailFailed>().Select(f => (f.Purpose, f.Reason)).Single());
    }

    [Fact]
    public async Task one_that_mails_come_back_from_gets_neither_reminders_nor_a_notice()
    {
        var id = await Mail.SignUpAsync("gone@example.com");
        await running.LogReachesAsync(id, 2);
        await Mail.AppendAsync(id, new Stored.MailBounced("activation", "mailbox-unavailable", DateTimeOffset.UtcNow));
        await Wait.UntilAsync(async () => await RowsAsync(id) is ["failed"], "Mail has heard of it");
        await ChangeAsync(id, "gone@example.com", "new@example.com");
        await running.LogReachesAsync(id, 5);
        await Mail.ReachesEndOfLogAsync();

        Assert.Equal(["gone@example.com", "new@example.com"], running.MailsOf(id).Select(m => m.Recipient));
        Assert.Equal(["sent"], await RowsAsync(id));
    }

    [Fact]
    public async Task whatever_mail_had_stored_may_be_lost_and_nobody_is_told_twice_nor_of_what_is_long_past()
    {
        var id = await Mail.SignUpAsync("a@example.com");
        await ChangeAsync(id, "a@example.com", "b@example.com");
        await ChangeAsync(id, "b@example.com", "c@example.com");
        await Wait.UntilAsync(async () => (await Mail.LogAsync(id)).OfType<Stored.MailSent>().Count() == 2 && (await RowsAsync(id)) is ["sent"], "all mails are recorded");
        var mails = running.Smtp.Mails.Count;
        await Mail.Process.StopAsync();
        await using (var drop = Mail.System.Database.CreateCommand("drop table mail.activation, mail.checkpoint")) await drop.ExecuteNonQueryAsync();
        // Before there were notices.
        var early = await Mail.SignUpAsync("early@example.com");
        await Mail.AppendAsync(early, new Stored.AccountActivated(DateTimeOffset.UtcNow));
        await Mail.AppendAsync(early, new Stored.EmailChanged("early@example.com", "later@example.com", DateTimeOffset.UtcNow.AddDays(-8)));

        await Mail.Process.StartAsync();
        await Mail.ReachesEndOfLogAsync();
        Assert.Equal(["sent"], await RowsAsync(id));
        await running.LogReachesAsync(await Mail.SignUpAsync("last@example.com"), 2);
        Assert.Equal(["last@example.com"], running.Smtp.Mails.Skip(mails).Select(m => m.Recipient));
        var latest = running.MailsOf(id).Single(m => m.MessageId.StartsWith("<activation~2.", StringComparison.Ordinal));
        Assert.Equal(("c@example.com", 2), (latest.Recipient, GenerationOf(latest.Link)));
    }

    private Task ChangeAsync(Guid id, string from, string to) => Mail.AppendAsync(id, new Stored.EmailChanged(from, to, DateTimeOffset.UtcNow));

    /// <summary>How what Mail keeps of the account stands.</summary>
    private async Task<List<string>> RowsAsync(Guid id)
    {
        await using var command = Mail.System.Database.CreateCommand("select status from mail.activation where state ->> 'accountId' = @id");
        command.Parameters.AddWithValue("id", id.ToString());
        var rows = new List<string>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) rows.Add(reader.GetString(0));
        return rows;
    }

    private static (string, string) Envelope(ReceivedMail mail) => (mail.Recipient, mail.MessageId);

    private int GenerationOf(string link) =>
        new SignedTokens([Mail.System.SigningKey], TimeProvider.System).Read("activation", link.Split('=')[1], out _, out var generation) == TokenState.Valid ? generation : -1;
}
