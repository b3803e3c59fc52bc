using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

public sealed class when_mail_dies
{
    [Fact]
    public async Task what_it_had_taken_is_sent_by_another_that_runs_beside_it()
    {
        var stuck = new TaskCompletionSource<string?>();
        await using var smtp = new SmtpServer { OnMailFrom = (session, _) => session.Number == 1 ? stuck.Task : Task.FromResult<string?>(null) };
        await using var mail = await MailProcess.StartAsync("mailtwo", smtp.Start(), new() { ["Mail__Connections"] = "1" });
        await mail.SignUpAsync(Faults.Addresses("two", 30));
        await Wait.UntilAsync(async () => await mail.TakenAsync() > 0, "the first has taken mails");
        var second = mail.System.Add("Mail");
        await second.StartAsync();
        await mail.Process.KillAsync();
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count == 30), "the second sends them");
        stuck.SetResult(null);
        Assert.Equal(30, smtp.Mails.Select(m => m.Recipient).Distinct().Count());
    }

    [Fact]
    public async Task two_beside_each_other_share_the_work_and_send_nothing_twice()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailpair", smtp, new() { ["Mail__ProbeFirst"] = "00:00:01", ["Mail__ProbeCap"] = "00:00:01" });
        await mail.System.Add("Mail").StartAsync();
        await mail.SignUpAsync(Faults.Addresses("pair", 600));
        await Wait.UntilAsync(async () => await mail.CountAsync("waiting") == 600, "all mails wait");
        smtp.Start();
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 600, "all mails are recorded");
        Assert.Equal(600, smtp.Mails.Count);
        Assert.Equal(600, smtp.Mails.Select(m => m.Recipient).Distinct().Count());
        Assert.Equal(600, await mail.CountAsync<Stored.ActivationMailSent>());
    }

    [Fact]
    public async Task a_stop_with_notice_doubles_nothing()
    {
        await using var smtp = new SmtpServer();
        await using var mail = await MailProcess.StartAsync("mailstop", smtp.Start());
        await mail.SignUpAsync(Faults.Addresses("stop", 300));
        await Wait.UntilAsync(() => Task.FromResult(smtp.Mails.Count >= 20), "mails are going out");
        await mail.Process.StopAsync();
        Assert.Equal(0, await mail.TakenAsync());
        await mail.Process.StartAsync();
        await Wait.UntilAsync(async () => await mail.CountAsync("sent") == 300, "all mails are recorded");
        Assert.Equal(300, smtp.Mails.Count);
    }
}
