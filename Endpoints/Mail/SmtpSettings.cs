using System.ComponentModel.DataAnnotations;
using MailKit.Security;

namespace Signup.Mail;

public enum SmtpSecurity { Auto, None, StartTls, Tls }

/// <summary>Settings <c>Smtp:…</c>: the mail provider.</summary>
public sealed record SmtpSettings
{
    /// <summary>Empty: mails are written to <see cref="PickupDirectory"/>.</summary>
    public string Host { get; init; } = "";

    /// <summary>0: 465 for <see cref="SmtpSecurity.Tls"/>, 25 for <see cref="SmtpSecurity.None"/>, else 587 (RFC 8314).</summary>
    [Range(0, 65535)]
    public int Port { get; init; }

    /// <summary>Empty: no authentication.</summary>
    public string Username { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>Access tokens (XOAUTH2) in the place of <see cref="Password"/>.</summary>
    public OAuthSettings OAuth { get; init; } = new();

    /// <summary><c>Auto</c>: TLS on port 465, else STARTTLS where the server offers it; always, where there is a <see cref="Username"/>, so that nobody on the way can have the password
    /// by pretending that it is not offered. <c>StartTls</c> and <c>Tls</c> send nothing unencrypted.</summary>
    public SmtpSecurity Security { get; init; }

    public string PickupDirectory { get; init; } = "";

    /// <summary>The longest wait for a connection with all that comes before the first mail, and for any one answer of the server but a mail's last.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait for the answer to a whole mail. RFC 5321, 4.5.3.2.6, recommends ten minutes, for whoever hangs up earlier may send twice;
    /// providers today answer within seconds, and a connection that hangs sends nobody's mail.</summary>
    public TimeSpan MailTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A connection that rests longer is closed, before the server does it.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(20);

    public int EffectivePort => Port != 0 ? Port : Security switch { SmtpSecurity.Tls => 465, SmtpSecurity.None => 25, _ => 587 };

    public SecureSocketOptions SocketOptions => Security switch
    {
        SmtpSecurity.None => SecureSocketOptions.None,
        SmtpSecurity.StartTls => SecureSocketOptions.StartTls,
        SmtpSecurity.Tls => SecureSocketOptions.SslOnConnect,
        _ => EffectivePort == 465 ? SecureSocketOptions.SslOnConnect : Username.Length > 0 ? SecureSocketOptions.StartTls : SecureSocketOptions.StartTlsWhenAvailable,
    };
}
