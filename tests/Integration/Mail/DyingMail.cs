using Signup.Tests.Fixture;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

/// <summary>Kills Mail at random moments while mails go out, and looks at what arrives.</summary>
internal static class DyingMail
{
    /// <returns>How many mails arrived more than once, and how many may have: one for each connection that a kill cut.</returns>
    public static async Task<(int Doubled, int Uncertain)> SendAsync(int mails, int kills)
    {
        var chance = new Random(20261123);
        // A mail takes its time, or all of them would be out before the first kill.
        await using var smtp = new SmtpServer { OnMail = TakeYourTimeAsync };
        await using var mail = await MailProcess.StartAsync("maildies", smtp.Start());
        await mail.SignUpAsync([.. Enumerable.Range(0, mails).Select(i => $"dies{i}@example.com")]);
        var uncertain = 0;
        for (var i = 1; i <= kills; i++)
        {
            var at = (mails * i / (kills + 1)) + chance.Next(-5, 5);
            await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count >= at), $"{at} mails are out");
            uncertain += Math.Max(1, smtp.Open);
            await mail.Process.KillAsync();
            await mail.Process.StartAsync();
        }
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Select(m => m.Recipient).Distinct().Count() == mails), "all mails arrive", TimeSpan.FromMinutes(1));
        await Wait.UntilAsync(async () => await mail.CountAsync<Stored.ActivationMailSent>() == mails, "all mails are in the log");

        // There is a second connection only where mails have waited for a second: here, on a machine that is very busy.
        Assert.InRange(smtp.Mails.Count - mails, 0, uncertain);
        foreach (var copies in smtp.Mails.GroupBy(m => m.Recipient))
        {
            Assert.Single(copies.Select(m => m.MessageId).Distinct());
            Assert.Single(copies.Select(m => m.Link).Distinct());
        }
        return (smtp.Mails.Count - mails, uncertain);
    }

    private static async Task<string?> TakeYourTimeAsync(SmtpSession session, string mail)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        await timer.WaitForNextTickAsync();
        return null;
    }
}
