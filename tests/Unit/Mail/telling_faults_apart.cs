using System.Net.Sockets;
using MailKit.Net.Smtp;
using MailKit.Security;
using Signup.Mail;
using static Signup.Mail.SmtpStage;

namespace Signup.Tests.Unit.Mail;

public sealed class telling_faults_apart
{
    /// <summary>Replies as the big providers and servers give them, from what they publish about them and from what is reported of them; names and numbers in them are examples'.</summary>
    public static readonly TheoryData<SmtpStage, int, string, string> Replies = new()
    {
        // The address: its mail is given up at once.
        { Recipient, 550, "5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. gsmtp", "refused mailbox-unavailable" }, // Gmail
        { Data, 552, "5.2.2 The email account that you tried to reach is over quota. gsmtp", "refused mailbox-full" }, // Gmail
        { Recipient, 550, "5.2.1 The email account that you tried to reach is inactive. gsmtp", "refused mailbox-unavailable" }, // Gmail
        { Recipient, 550, "5.1.1 <b@relay.example.org>: Recipient address rejected: User unknown in virtual mailbox table", "refused mailbox-unavailable" }, // Postfix
        { Recipient, 550, "5.1.2 <b@nowhere.example>: Recipient address rejected: Domain not found", "refused domain-invalid" }, // Postfix
        { Recipient, 501, "5.1.3 Bad recipient address syntax", "refused address-invalid" }, // Postfix
        { Recipient, 556, "5.1.10 <b@null-mx.example>: Recipient address rejected: Domain does not accept mail (nullMX)", "refused domain-invalid" }, // Postfix
        { Recipient, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient b@example.org not found by SMTP address lookup", "refused domain-invalid" }, // Exchange Online
        { Recipient, 550, "5.1.6 Recipient no longer on server", "refused mailbox-unavailable" }, // iCloud
        { Recipient, 550, "5.1.1 unknown or illegal alias: b@example.org", "refused mailbox-unavailable" }, // iCloud
        { Recipient, 553, "5.6.7 SMTPUTF8 is not supported", "refused international-address-unsupported" },

        // The same by the reply code alone, where there is no enhanced one, or one that says nothing.
        { Recipient, 550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [DB5EUR01FT012.eop-EUR01.prod.protection.outlook.com]", "refused mailbox-unavailable unsure" }, // Outlook.com
        { Recipient, 550, "Unrouteable address", "refused mailbox-unavailable unsure" }, // Exim
        { Recipient, 550, "Requested action not taken: mailbox unavailable", "refused mailbox-unavailable unsure" }, // GMX
        { Recipient, 552, "1 Requested mail action aborted, mailbox not found", "refused mailbox-full unsure" }, // Yahoo
        { Recipient, 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "refused address-invalid unsure" }, // qmail
        { Recipient, 550, "5.0.0 <b@example.org>... User unknown", "refused mailbox-unavailable unsure" }, // Sendmail

        // Not now, this mail.
        { Recipient, 450, "4.2.0 <b@example.org>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.org.html", "later" }, // Postgrey
        { Recipient, 451, "4.7.1 Greylisting in action, please come back later", "later" }, // Rspamd
        { Recipient, 452, "4.2.2 The email account that you tried to reach is over quota. gsmtp", "later" }, // Gmail
        { Recipient, 450, "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. gsmtp", "later" }, // Gmail
        { Data, 421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. gsmtp", "too fast" }, // Gmail
        { Data, 421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1", "later" }, // Yahoo
        { Recipient, 451, "4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. (S775)", "too fast" }, // Outlook.com
        { Recipient, 451, "4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)", "too fast" }, // Exchange Online
        { Recipient, 451, "4.3.2 Service temporarily unavailable", "later" },
        { Recipient, 452, "4.3.1 Insufficient system storage", "later" }, // Exchange
        { Data, 454, "Throttling failure: Maximum sending rate exceeded.", "too fast" }, // Amazon SES
        { Data, 454, "Throttling failure: Daily message quota exceeded.", "too fast" }, // Amazon SES
        { Recipient, 421, "4.3.0 Temporary System Problem. Try again later. gsmtp", "later" }, // Gmail

        // Refused for good, and it is between the provider and us, or not said whose fault it is.
        { Data, 550, "5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to https://support.google.com/a/answer/166852 gsmtp", "ours" }, // Gmail
        { Recipient, 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1", "ours" }, // Postfix
        { Data, 550, "5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM. gsmtp", "ours" }, // Gmail
        { Data, 550, "5.7.1 Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked. gsmtp", "ours" }, // Gmail
        { Data, 550, "5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", "ours" }, // Exchange Online
        { Recipient, 550, "5.1.8 Access denied, bad outbound sender AS(42003)", "ours" }, // Exchange Online
        { Data, 554, "5.2.252 SendAsDenied; no-reply@signup.example not allowed to send as hello@signup.example", "ours" }, // Exchange Online
        { Data, 550, "5.7.60 SMTP; Client does not have permissions to send as this sender", "ours" }, // Exchange Online
        { Recipient, 550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)", "ours" }, // Exchange Online
        { Recipient, 550, "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).", "ours" }, // Outlook.com
        { Data, 554, "5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes", "ours" }, // Yahoo
        { Data, 554, "Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: no-reply@signup.example", "ours" }, // Amazon SES
        { Data, 550, "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.", "ours" }, // SendGrid
        { Recipient, 554, "5.7.1 <b@example.org>: Relay access denied", "ours" }, // Postfix
        { Recipient, 550, "#5.7.1 Your access to submit messages to this e-mail system has been rejected.", "ours" }, // Cisco
        { Recipient, 500, "5.5.2 Error: bad syntax", "ours" }, // Postfix
        { Recipient, 504, "5.5.2 <b@localhost>: Recipient address rejected: need fully-qualified address", "ours" }, // Postfix
        { Recipient, 530, "5.7.0 Must issue a STARTTLS command first", "ours" },
        { Recipient, 503, "5.5.1 Error: nested MAIL command", "ours" },
        { Recipient, 554, "5.5.0 Error: transaction failed", "ours" },
        { Data, 554, "5.6.0 Message content rejected", "ours" },
        { Data, 554, "delivery error: dd This user doesn't have a yahoo.com account (b@yahoo.com) [0]", "ours" }, // Yahoo

        // Before anybody's address is named: nobody's mail can be sent.
        { Connecting, 535, "5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials gsmtp", "trouble reply-535" }, // Gmail
        { Connecting, 421, "4.7.0 Too many concurrent connections", "trouble reply-421" },
        { Connecting, 554, "IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.)", "trouble reply-554" }, // T-Online
        { Connecting, 454, "4.7.0 Too many login attempts, please try again later. gsmtp", "trouble reply-454" }, // Gmail
        { Sender, 553, "5.7.1 <no-reply@signup.example>: Sender address rejected: not owned by user signup", "trouble sender-refused" }, // Postfix
        { Sender, 550, "Unauthenticated senders not allowed", "trouble sender-refused" }, // SendGrid
        { Sender, 530, "5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM", "trouble sender-refused" }, // Exchange Online
        { Sender, 450, "4.7.1 Error: too much mail from 192.0.2.1", "too fast at once" }, // Postfix
        { Sender, 421, "4.7.0 Try again later, closing connection. (MAIL) gsmtp", "too fast at once" }, // Gmail
        { Sender, 421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1", "too fast at once" }, // Yahoo
        { Sender, 421, "4.3.2 Service not available, closing transmission channel", "trouble reply-421" },
        { Sender, 452, "4.3.1 Insufficient system resources", "trouble reply-452" }, // Exchange
        { Sender, 451, "4.7.0 Temporary server error. Please try again later. PRX4", "trouble reply-451" }, // Exchange Online
    };

    [Theory, MemberData(nameof(Replies))]
    public void by_code_and_stage(SmtpStage stage, int code, string text, string whose) => Assert.Equal(whose, Faults.ClassifyReply(code, text, stage) switch
    {
        Outcome.Refused refused => $"refused {refused.Reason}{(refused.Sure ? "" : " unsure")}",
        Outcome.PutOff { Ours: true } => "ours",
        Outcome.PutOff => "later",
        Outcome.TooFast tooFast => tooFast.Named ? "too fast" : "too fast at once",
        Outcome.Trouble trouble => $"trouble {trouble.Reason}",
        var other => other.ToString(),
    });

    /// <summary>What servers repeat of an address: its local part may look like anything.</summary>
    [Theory]
    [InlineData("5.7.1@example.org: User unknown")]
    [InlineData("5.1.1@example.org: relay access denied")]
    [InlineData("relaying denied? no such user b")]
    public void and_never_by_what_a_stranger_typed(string text) =>
        Assert.Equal(Faults.ClassifyReply(550, "no", Recipient), Faults.ClassifyReply(550, text, Recipient));

    [Theory]
    [InlineData(Connecting)]
    [InlineData(Sender)]
    public void a_connection_lost_before_a_recipient_is_named_is_the_providers_trouble(SmtpStage stage)
    {
        Assert.Equal(new Outcome.Trouble("connection-lost", stage == Connecting), Faults.Classify(new SmtpProtocolException("unexpectedly disconnected"), stage));
        Assert.Equal(new Outcome.Trouble("timeout", stage == Connecting), Faults.Classify(new OperationCanceledException(), stage));
    }

    [Theory]
    [InlineData(Recipient, false)]
    [InlineData(Data, true)]
    public void a_connection_lost_after_that_may_be_the_mails_own_fault(SmtpStage stage, bool mayHaveArrived)
    {
        Assert.Equal(new Outcome.Interrupted("connection-lost", mayHaveArrived), Faults.Classify(new IOException("reset"), stage));
        Assert.Equal(new Outcome.Interrupted("timeout", mayHaveArrived), Faults.Classify(new TimeoutException(), stage));
    }

    [Fact]
    public void no_way_to_the_provider_is_its_trouble()
    {
        Assert.Equal(new Outcome.Trouble("refused", true), Faults.Classify(new SocketException((int)SocketError.ConnectionRefused), Connecting));
        Assert.Equal(new Outcome.Trouble("unknown-host", true), Faults.Classify(new SocketException((int)SocketError.HostNotFound), Connecting));
        Assert.Equal(new Outcome.Trouble("authentication", true), Faults.Classify(new AuthenticationException("no"), Connecting));
        Assert.Equal(new Outcome.Trouble("tls", true), Faults.Classify(new SslHandshakeException("no"), Connecting));
        Assert.Equal(new Outcome.Trouble("not-supported", true), Faults.Classify(new NotSupportedException("no STARTTLS"), Connecting));
    }
}
