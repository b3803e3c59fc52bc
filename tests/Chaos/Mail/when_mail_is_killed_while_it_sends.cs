using Signup.Tests.Integration.Mail;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Chaos.Mail;

public sealed class when_mail_is_killed_while_it_sends
{
    [Fact(Timeout = Run.Deadline)]
    public async Task all_mails_arrive_and_no_more_than_one_a_kill_twice()
    {
        var (mails, kills) = Run.IsLong ? (500, 20) : (100, 1);
        var run = new Run();
        // A mail takes its time, or all of them would be out before the first kill. On one connection: each has one mail in its hands that may come twice.
        await using var smtp = new SmtpServer { OnMail = TakeYourTimeAsync };
        await using var mail = await MailProcess.StartAsync("maildies", smtp.Start(), new() { ["Mail__Connections"] = "1" });
        await mail.SignUpAsync([.. Enumerable.Range(0, mails).Select(i => $"dies{i}@example.com")]);
        for (var i = 1; i <= kills; i++)
        {
            var at = (mails * i / (kills + 1)) + run.Random.Next(-5, 5);
            await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count >= at), $"{at} mails are out");
            await mail.Process.KillAsync();
            await mail.Process.StartAsync();
        }
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Select(m => m.Recipient).Distinct().Count() == mails), "all mails arrive");
        await Wait.UntilAsync(async () => await mail.CountAsync<Stored.ActivationMailSent>() == mails, "all mails are in the log");

        var doubled = smtp.Mails.Count - mails;
        run.Tell($"{doubled} of {mails} mails arrived twice");
        Assert.InRange(doubled, 0, kills);
        foreach (var copies in smtp.Mails.GroupBy(m => m.Recipient))
        {
            Assert.Single(copies.Select(m => m.MessageId).Distinct());
            Assert.Single(copies.Select(m => m.Link).Distinct());
        }
    }

    private static async Task<string?> TakeYourTimeAsync(SmtpSession session, string mail)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        await timer.WaitForNextTickAsync();
        return null;
    }
}
