using Signup.Hosting;
using Signup.Messages.Mail;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

public sealed class when_an_account_is_created
{
    [Fact]
    public async Task its_mail_holds_a_valid_link_and_the_log_says_that_it_was_sent()
    {
        await using var smtp = new SmtpServer().Start();
        await using var mail = await MailProcess.StartAsync("mailcreated", smtp);

        var id = await mail.SignUpAsync("ada@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the mail is recorded as sent");

        var received = Assert.Single(smtp.Mails);
        Assert.Equal("ada@example.com", received.Recipient);
        Assert.Equal($"<activation.{id}@signup.example>", received.MessageId);
        Assert.Equal("auto-generated", received.Header("Auto-Submitted"));
        Assert.StartsWith("https://signup.example/activate?token=", received.Link, StringComparison.Ordinal);
        var tokens = new SignedTokens([mail.System.SigningKey], TimeProvider.System);
        Assert.Equal(TokenState.Valid, tokens.Read("activation", received.Link.Split('=')[1], out var account));
        Assert.Equal(id, account);
        Assert.Equal("activation", Assert.IsType<Stored.ActivationMailSent>((await mail.LogAsync(id))[^1]).Purpose);
    }

    [Fact]
    public async Task it_goes_out_when_it_is_due_and_not_only_when_the_next_look_is()
    {
        await using var smtp = new SmtpServer().Start();
        await using var mail = await MailProcess.StartAsync("mailwoken", smtp, new() { ["Mail__Poll"] = "01:00:00", ["Mail__ResendCooldown"] = "00:00:00" });

        var id = await mail.SignUpAsync("ada@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the mail is recorded as sent");
        await mail.SendAsync(new ResendActivationMail(id, DateTimeOffset.UtcNow));

        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 2), "it has come a second time");
    }

    [Fact]
    public async Task without_a_provider_the_mail_is_a_file()
    {
        await using var mail = await MailProcess.StartAsync("mailpickup");

        var id = await mail.SignUpAsync("ada@example.com");
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 1, "the mail is recorded as sent");

        var file = Assert.Single(Directory.GetFiles(mail.System.MailPickup));
        Assert.EndsWith($"activation.{id}.eml", file, StringComparison.Ordinal);
        Assert.Contains("https://signup.example/activate?token=", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
    }
}
