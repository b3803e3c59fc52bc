using System.Net.Sockets;
using System.Text.RegularExpressions;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;

namespace Signup.Mail;

/// <summary>What became of one attempt to hand a mail to the provider.</summary>
public abstract record Outcome
{
    private Outcome() { }

    /// <summary>The provider has it.</summary>
    public sealed record Accepted : Outcome;

    /// <summary>Not to this address, ever.</summary>
    /// <param name="Reason">Class of the reason.</param>
    public sealed record Refused(string Reason) : Outcome;

    /// <summary>Not now, to this address.</summary>
    public sealed record PutOff(string Reason) : Outcome;

    /// <summary>The provider is in trouble, whichever mail it is.</summary>
    /// <param name="InMail">It broke off in the midst of this mail, which may have been taken, and may be the cause.</param>
    public sealed record Trouble(string Reason, bool InMail) : Outcome;
}

/// <summary>Where in the conversation something happened.</summary>
public enum SmtpStage
{
    /// <summary>Connecting, greeting, TLS, authentication.</summary>
    Connecting,
    /// <summary>MAIL FROM: nothing has been said about the recipient yet.</summary>
    Sender,
    Recipient,
    /// <summary>DATA, the mail itself, and the answer to it.</summary>
    Data,
}

/// <summary>Tells faults apart: the address's own, for good or for now, and the provider's.</summary>
public static partial class Faults
{
    public static Outcome Classify(Exception fault, SmtpStage stage) => fault switch
    {
        SmtpCommandException reply => ClassifyReply((int)reply.StatusCode, reply.Message, stage),
        AuthenticationException or SaslException => new Outcome.Trouble("authentication", InMail: false),
        ServiceNotAuthenticatedException => new Outcome.Trouble("authentication", InMail: false),
        SslHandshakeException => new Outcome.Trouble("tls", InMail: false),
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => new Outcome.Trouble("refused", stage >= SmtpStage.Recipient),
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => new Outcome.Trouble("unknown-host", InMail: false),
        TimeoutException or OperationCanceledException or IOException { InnerException: SocketException { SocketErrorCode: SocketError.TimedOut } } =>
            new Outcome.Trouble("timeout", stage >= SmtpStage.Recipient),
        // A server without STARTTLS where it is demanded, or without a way to authenticate.
        NotSupportedException => new Outcome.Trouble("not-supported", InMail: false),
        _ => new Outcome.Trouble("connection-lost", stage >= SmtpStage.Recipient),
    };

    /// <param name="code">Reply code, RFC 5321, 4.2.</param>
    /// <param name="text">With or without an enhanced status code (RFC 3463) at its beginning.</param>
    public static Outcome ClassifyReply(int code, string text, SmtpStage stage)
    {
        var enhanced = EnhancedCode().Match(text) is { Success: true } m ? (Subject: int.Parse(m.Groups[1].ValueSpan, null), Detail: int.Parse(m.Groups[2].ValueSpan, null)) : default;
        // Before the recipient is named, whatever is wrong is wrong for all. 421: the service is closing. 53x, X.7.8 and their kin: authentication.
        // X.3: the mail system itself, such as a full disk. 500 to 504 but 501: the conversation is broken.
        if (stage < SmtpStage.Recipient || code == 421
            || code is 530 or 534 or 535 or 538 or 454 or 500 or 502 or 503 or 504
            || enhanced is { Subject: 7, Detail: 8 or 9 or 11 or 14 } or { Subject: 3, Detail: not 4 }
            || (stage == SmtpStage.Recipient && RelayDenied().IsMatch(text)))
            return new Outcome.Trouble($"reply-{code}", InMail: stage == SmtpStage.Data);
        if (code is >= 400 and < 500) return new Outcome.PutOff($"reply-{code}");
        if (code < 500) return new Outcome.Trouble($"reply-{code}", InMail: stage == SmtpStage.Data);
        return new Outcome.Refused(stage == SmtpStage.Data ? "message-refused" : (code, enhanced) switch
        {
            // The finer code first.
            (_, (2, 2)) => "mailbox-full",
            (_, (1, 2)) or (_, (1, 10)) => "domain-invalid",
            (_, (1, 3)) or (_, (1, 7)) => "address-invalid",
            (_, (6, 7)) => "international-address-unsupported",
            (_, (7, _)) => "refused",
            (552, _) => "mailbox-full",
            (556, _) => "domain-invalid",
            (501 or 553, _) => "address-invalid",
            _ => "mailbox-unavailable",
        });
    }

    [GeneratedRegex(@"^\s*[245]\.(\d{1,3})\.(\d{1,3})\b", RegexOptions.CultureInvariant)]
    private static partial Regex EnhancedCode();

    /// <summary>There is no code of its own for "I do not relay for you", which says nothing about the address and everything about the provider's settings.</summary>
    [GeneratedRegex(@"\brelay", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex RelayDenied();
}
