using Signup.Tests.Integration.Mail;

namespace Signup.Tests.Chaos.Mail;

public sealed class when_mail_is_killed_twenty_times
{
    [Fact]
    public async Task all_of_five_hundred_mails_arrive_and_at_most_twenty_twice()
    {
        var (doubled, uncertain) = await DyingMail.SendAsync(mails: 500, kills: 20);
        TestContext.Current.TestOutputHelper?.WriteLine($"{doubled} of 500 mails arrived twice; {uncertain} were in the hands of a connection that was cut");
        Assert.InRange(doubled, 0, 20);
    }
}
