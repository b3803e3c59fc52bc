using Signup.Tests.Integration.Mail;

namespace Signup.Tests.Chaos.Mail;

public sealed class when_mail_is_killed_while_it_sends
{
    [Fact(Timeout = Run.Deadline)]
    public async Task all_mails_arrive_and_no_more_than_one_a_kill_twice()
    {
        var (mails, kills) = Run.IsLong ? (500, 20) : (200, 4);
        var (doubled, uncertain) = await DyingMail.SendAsync(mails, kills);
        new Run().Tell($"{doubled} of {mails} mails arrived twice; {uncertain} were in the hands of a connection that was cut");
        Assert.InRange(doubled, 0, kills);
    }
}
