using System.Net.Sockets;
using MailKit.Net.Smtp;
using MailKit.Security;
using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

public sealed class telling_faults_apart
{
    [Theory]
    [InlineData(550, "5.1.1 no such user", "mailbox-unavailable")]
    [InlineData(550, "no such user", "mailbox-unavailable")]
    [InlineData(551, "user not local", "mailbox-unavailable")]
    [InlineData(554, "no", "mailbox-unavailable")]
    [InlineData(552, "5.2.2 over quota", "mailbox-full")]
    [InlineData(550, "5.2.2 over quota", "mailbox-full")]
    [InlineData(553, "bad name", "address-invalid")]
    [InlineData(501, "5.1.3 bad syntax", "address-invalid")]
    [InlineData(550, "5.1.2 no such host", "domain-invalid")]
    [InlineData(556, "5.1.10 domain takes no mail", "domain-invalid")]
    [InlineData(550, "5.7.1 not from you", "refused")]
    [InlineData(553, "5.6.7 no UTF-8 here", "international-address-unsupported")]
    public void a_recipient_refused_for_good_is_the_addresss_fault(int code, string text, string reason) =>
        Assert.Equal(new Outcome.Refused(reason), Faults.ClassifyReply(code, text, SmtpStage.Recipient));

    [Theory]
    [InlineData(450, "4.2.0 greylisted")]
    [InlineData(451, "4.7.1 greylisted, try in five minutes")]
    [InlineData(452, "4.2.2 mailbox full")]
    [InlineData(450, "busy")]
    public void a_recipient_refused_for_now_is_put_off(int code, string text)
    {
        Assert.Equal(new Outcome.PutOff($"reply-{code}"), Faults.ClassifyReply(code, text, SmtpStage.Recipient));
        Assert.Equal(new Outcome.PutOff($"reply-{code}"), Faults.ClassifyReply(code, text, SmtpStage.Data));
    }

    [Theory]
    [InlineData(421, "4.3.2 closing", SmtpStage.Recipient)]
    [InlineData(421, "too many", SmtpStage.Connecting)]
    [InlineData(530, "5.7.0 authenticate first", SmtpStage.Recipient)]
    [InlineData(535, "5.7.8 no", SmtpStage.Connecting)]
    [InlineData(550, "5.7.8 no", SmtpStage.Recipient)]
    [InlineData(454, "4.7.0 later", SmtpStage.Recipient)]
    [InlineData(452, "4.3.1 disk full", SmtpStage.Recipient)]
    [InlineData(503, "bad sequence", SmtpStage.Recipient)]
    [InlineData(554, "5.7.1 <ada@example.com>: Relay access denied", SmtpStage.Recipient)]
    [InlineData(550, "relay not permitted", SmtpStage.Recipient)]
    [InlineData(550, "sender not verified", SmtpStage.Sender)]
    [InlineData(450, "slow down", SmtpStage.Sender)]
    [InlineData(554, "go away", SmtpStage.Connecting)]
    public void what_is_wrong_for_all_is_the_providers_trouble(int code, string text, SmtpStage stage) =>
        Assert.Equal(new Outcome.Trouble($"reply-{code}", InMail: false), Faults.ClassifyReply(code, text, stage));

    [Fact]
    public void a_mail_refused_for_good_is_given_up() =>
        Assert.Equal(new Outcome.Refused("message-refused"), Faults.ClassifyReply(554, "5.6.0 spam", SmtpStage.Data));

    [Theory]
    [InlineData(SmtpStage.Connecting, false)]
    [InlineData(SmtpStage.Sender, false)]
    [InlineData(SmtpStage.Recipient, true)]
    [InlineData(SmtpStage.Data, true)]
    public void a_connection_lost_once_the_recipient_is_named_may_be_the_mails_fault(SmtpStage stage, bool inMail)
    {
        Assert.Equal(new Outcome.Trouble("connection-lost", inMail), Faults.Classify(new SmtpProtocolException("unexpectedly disconnected"), stage));
        Assert.Equal(new Outcome.Trouble("connection-lost", inMail), Faults.Classify(new IOException("reset"), stage));
        Assert.Equal(new Outcome.Trouble("timeout", inMail), Faults.Classify(new TimeoutException(), stage));
        Assert.Equal(new Outcome.Trouble("timeout", inMail), Faults.Classify(new OperationCanceledException(), stage));
    }

    [Fact]
    public void no_way_to_the_provider_is_its_trouble()
    {
        Assert.Equal(new Outcome.Trouble("refused", false), Faults.Classify(new SocketException((int)SocketError.ConnectionRefused), SmtpStage.Connecting));
        Assert.Equal(new Outcome.Trouble("unknown-host", false), Faults.Classify(new SocketException((int)SocketError.HostNotFound), SmtpStage.Connecting));
        Assert.Equal(new Outcome.Trouble("authentication", false), Faults.Classify(new AuthenticationException("no"), SmtpStage.Connecting));
        Assert.Equal(new Outcome.Trouble("tls", false), Faults.Classify(new SslHandshakeException("no"), SmtpStage.Connecting));
        Assert.Equal(new Outcome.Trouble("not-supported", false), Faults.Classify(new NotSupportedException("no STARTTLS"), SmtpStage.Connecting));
    }
}
