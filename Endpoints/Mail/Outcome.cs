using System.Net.Sockets;
using System.Text.RegularExpressions;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;

namespace Signup.Mail;

/// <summary>What became of one attempt to hand a mail to the provider.</summary>
/// <param name="Reason">Class of the reason; empty where there is none.</param>
public abstract record Outcome(string Reason)
{
    /// <summary>The provider has it.</summary>
    public sealed record Accepted() : Outcome("");

    /// <summary>Not to this address, ever.</summary>
    /// <param name="Sure">The provider has said so by an enhanced status code. Without one it is what the reply code means, where it means anything.</param>
    public sealed record Refused(string Reason, bool Sure) : Outcome(Reason);

    /// <summary>This mail was not taken now. It goes back behind the others.</summary>
    /// <param name="Ours">Refused for good, but not for the address's sake: it is between the provider and us, or not said. Whoever signed up must not be told that it is their mistake.</param>
    public sealed record PutOff(string Reason, bool Ours) : Outcome(Reason);

    /// <summary>This mail was not taken now, since mails come faster than the provider wants them.</summary>
    /// <param name="Named">The recipient had been named: as with <see cref="PutOff"/>, the mail goes back behind the others.</param>
    public sealed record TooFast(string Reason, bool Named) : Outcome(Reason);

    /// <summary>The connection was lost in the midst of this mail.</summary>
    /// <param name="MayHaveArrived">The text was on its way: the provider may have it.</param>
    public sealed record Interrupted(string Reason, bool MayHaveArrived) : Outcome(Reason);

    /// <summary>Nobody's mail can be sent: the provider cannot be reached, does not let us in, or refuses us as the sender.</summary>
    /// <param name="Connecting">No connection came about.</param>
    public sealed record Trouble(string Reason, bool Connecting) : Outcome(Reason);
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

/// <summary>
/// Tells whose fault it is, by the reply's code, its enhanced code (RFC 3463) and the stage of the conversation; never by its text, which repeats what
/// strangers typed. What is said before a recipient is named concerns all mails; what is said after that concerns one, whatever the code.
/// </summary>
public static partial class Faults
{
    public static Outcome Classify(Exception fault, SmtpStage stage) => fault switch
    {
        SmtpCommandException reply => ClassifyReply((int)reply.StatusCode, reply.Message, stage),
        _ when stage >= SmtpStage.Recipient => new Outcome.Interrupted(NameOf(fault), MayHaveArrived: stage == SmtpStage.Data),
        _ => new Outcome.Trouble(NameOf(fault), Connecting: stage == SmtpStage.Connecting),
    };

    /// <param name="code">Reply code, RFC 5321, 4.2.</param>
    /// <param name="text">With or without an enhanced status code at its beginning.</param>
    public static Outcome ClassifyReply(int code, string text, SmtpStage stage)
    {
        var name = $"reply-{code}";
        var enhanced = EnhancedCode().Match(text) is { Success: true } m ? (Class: Number(m, 1), Subject: Number(m, 2), Detail: Number(m, 3)) : default;
        if (stage > SmtpStage.Connecting && code is >= 400 and < 500 && IsTooFast(code, enhanced.Subject, enhanced.Detail, stage)) return new Outcome.TooFast(name, Named: stage > SmtpStage.Sender);
        if (stage < SmtpStage.Recipient)
            return new Outcome.Trouble(stage == SmtpStage.Sender && code >= 500 ? "sender-refused" : name, Connecting: stage == SmtpStage.Connecting);
        if (code < 500 || enhanced.Class is not (0 or 5)) return new Outcome.PutOff(name, Ours: false);
        // "Other or undefined status" says no more than the reply code.
        if (enhanced is { Subject: 0 or 5, Detail: 0 })
            return stage == SmtpStage.Recipient && Meaning(code) is { } meaning ? new Outcome.Refused(meaning, Sure: false) : new Outcome.PutOff(name, Ours: true);
        return Meaning(enhanced.Subject, enhanced.Detail) is { } sure ? new Outcome.Refused(sure, Sure: true) : new Outcome.PutOff(name, Ours: true);

        static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, null);
    }

    /// <summary>By the codes that providers document for it: RFC 3463's "mail system congestion"; Gmail's 4.7.28; 4.7.500 to 4.7.699 of Microsoft's; and 454, without more, of Amazon's. Before
    /// the recipient is named also by "policy", as Postfix, Gmail and Yahoo have it; behind that it may be greylisting.</summary>
    private static bool IsTooFast(int code, int subject, int detail, SmtpStage stage) => (subject, detail) switch
    {
        (4, 5) or (7, 28 or (>= 500 and <= 699)) => true,
        (7, _) => stage == SmtpStage.Sender && (code is 421 or 450 or 452),
        (0, 0) => stage == SmtpStage.Data && code == 454,
        _ => false,
    };

    /// <returns>Null where it need not be the address.</returns>
    private static string? Meaning(int subject, int detail) => (subject, detail) switch
    {
        (1, 0 or 1 or 6) or (2, 0 or 1 or 3 or 4) => "mailbox-unavailable",
        (2, 2) => "mailbox-full",
        (1, 2 or 10) => "domain-invalid",
        (1, 3 or 4) => "address-invalid",
        (6, 7) => International,
        _ => null,
    };

    /// <summary>RFC 5321, 4.2.3; RFC 7504.</summary>
    private static string? Meaning(int code) => code switch
    {
        550 or 551 => "mailbox-unavailable",
        552 => "mailbox-full",
        501 or 553 => "address-invalid",
        556 => "domain-invalid",
        _ => null,
    };

    /// <summary>Class of reason where a local part is not ASCII, and the provider cannot handle that (RFC 6531).</summary>
    internal const string International = "international-address-unsupported";

    private static string NameOf(Exception fault) => fault switch
    {
        AccessTokenException token => token.Reason,
        AuthenticationException or SaslException or ServiceNotAuthenticatedException => "authentication",
        SslHandshakeException => "tls",
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "refused",
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => "unknown-host",
        TimeoutException or OperationCanceledException or IOException { InnerException: SocketException { SocketErrorCode: SocketError.TimedOut } } => "timeout",
        // A server without STARTTLS where it is demanded, or without a way to authenticate.
        NotSupportedException => "not-supported",
        _ => "connection-lost",
    };

    /// <summary>Cisco's servers write a # before it.</summary>
    [GeneratedRegex(@"^\s*#?([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)", RegexOptions.CultureInvariant)]
    private static partial Regex EnhancedCode();
}
