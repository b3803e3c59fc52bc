using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Hosting.Following;

namespace Signup.Mail;

public static class MailServices
{
    /// <exception cref="InvalidOperationException">A setting or a template is wrong. Says which.</exception>
    public static void AddMail(this IServiceCollection services, IConfiguration configuration)
    {
        var mail = Read<MailSettings>(configuration, "Mail");
        var smtp = Read<SmtpSettings>(configuration, "Smtp");
        Check(mail, smtp);
        services.AddSingleton(mail).AddSingleton(smtp);
        services.AddSingleton<ActivationPolicy>().AddSingleton<Activations>().AddSingleton<Transports>().AddSingleton<Provider>().AddSingleton<Supervisor>();
        services.AddSingleton(_ => new SentNotes(Settings.Database(configuration)));
        var templates = new MailTemplates(Path.Combine(AppContext.BaseDirectory, mail.Templates));
        if (smtp.OAuth.TokenUrl.Length > 0) services.AddSingleton(s => new AccessTokens(smtp.OAuth, s.GetRequiredService<TimeProvider>()));
        var dkim = ReadKey(mail, configuration);
        services.AddSingleton(s =>
        {
            dkim?.Announce(s.GetRequiredService<ILogger<Dkim>>());
            return new MailComposer(templates, Settings.Required(configuration, "Signup:PublicUrl"), mail.From, s.GetRequiredService<SignedTokens>(), dkim, mail.Headers);
        });
        services.AddBeforeStart((s, cancellation) => s.GetRequiredService<Activations>().CreateTableAsync(cancellation));
        services.AddLogWriter();
        services.AddProjection<PendingAccounts>("pending-accounts", PendingAccounts.Followed.Select(name => EventTypes.Find(name)!));
        services.AddHostedService<SendDueMails>();
        services.AddHealthChecks().AddCheck<MailHealth>("mail-provider");
    }

    private static T Read<T>(IConfiguration configuration, string section) where T : new()
    {
        try
        {
            var settings = configuration.GetSection(section).Get<T>() ?? new T();
            Validator.ValidateObject(settings, new ValidationContext(settings), validateAllProperties: true);
            return settings;
        }
        catch (Exception e) when (e is ValidationException or InvalidOperationException)
        {
            throw new InvalidOperationException($"The settings {section}:… are wrong. {e.Message} {e.InnerException?.Message}".TrimEnd(), e);
        }
    }

    private static void Check(MailSettings mail, SmtpSettings smtp)
    {
        Demand(smtp.Host.Length > 0 || smtp.PickupDirectory.Length > 0, "Either Smtp:Host or Smtp:PickupDirectory must be set: mails have to go somewhere.");
        if (smtp.Host.Length == 0)
        {
            try
            {
                Directory.CreateDirectory(smtp.PickupDirectory);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new InvalidOperationException($"Smtp:PickupDirectory cannot be used: {e.Message}", e);
            }
        }
        Demand(smtp.Username.Length > 0 || smtp.Password.Length == 0, "Smtp:Password is set, but Smtp:Username is not.");
        Demand(smtp.Host.Length == 0 || smtp.Username.Length == 0 || smtp.Security != SmtpSecurity.None || smtp.Host is "localhost" or "127.0.0.1" or "::1",
            "Smtp:Security None would send Smtp:Password, or the access token, in the clear. Use StartTls or Tls.");
        Check(smtp.OAuth, smtp);
        Demand(mail.MailsPerSecond is 0 or >= 0.01, "Mail:MailsPerSecond must be 0, which is no limit, or at least 0.01.");
        foreach (var header in mail.Headers) MailComposer.Header(header);
        Demand(smtp is { Timeout.Ticks: > 0, MailTimeout.Ticks: > 0, IdleTimeout.Ticks: > 0 }, "Smtp:Timeout, Smtp:MailTimeout and Smtp:IdleTimeout must be longer than zero.");
        Demand(mail.Reminders.SequenceEqual(mail.Reminders.Where(r => r > TimeSpan.Zero).Order()), "Mail:Reminders must be longer than zero and ascending.");
        Demand(mail is { ExpireAfter.Ticks: > 0, ExpireRepeat.Ticks: > 0, RetryFirst.Ticks: > 0, ProbeFirst.Ticks: > 0, Poll.Ticks: > 0, ResendCooldown.Ticks: >= 0 }
            && mail.RetryCap >= mail.RetryFirst && mail.ProbeCap >= mail.ProbeFirst, "Mail:… times must be longer than zero, and caps not shorter than what they cap.");
    }

    private static void Check(OAuthSettings oAuth, SmtpSettings smtp)
    {
        if (oAuth == new OAuthSettings()) return;
        Demand(Uri.TryCreate(oAuth.TokenUrl, UriKind.Absolute, out var url) && (url.Scheme == "https" || (url.Scheme == "http" && url.IsLoopback)),
            "Smtp:OAuth:TokenUrl must be the https address of the token endpoint, such as: https://oauth2.googleapis.com/token");
        Demand(smtp.Username.Length > 0, "Smtp:OAuth is set, but Smtp:Username is not: the mailbox that the tokens are for.");
        Demand(smtp.Password.Length == 0, "Smtp:Password and Smtp:OAuth are both set. One of them is enough.");
        Demand(oAuth.ClientId.Length > 0, "Smtp:OAuth:ClientId must be set.");
        Demand(oAuth.RefreshToken.Length > 0 || oAuth.ClientSecret.Length > 0, "Either Smtp:OAuth:RefreshToken or Smtp:OAuth:ClientSecret must be set.");
    }

    private static Dkim? ReadKey(MailSettings mail, IConfiguration configuration)
    {
        if (mail.Dkim == new DkimSettings()) return null;
        Demand(mail.Dkim is { KeyFile.Length: > 0, Selector.Length: > 0 }, "Mail:Dkim:KeyFile and Mail:Dkim:Selector must both be set, so that mails can be signed.");
        var domain = mail.Dkim.Domain.Length > 0 ? mail.Dkim.Domain : MailComposer.Sender(mail.From, MailComposer.BaseOfLinks(Settings.Required(configuration, "Signup:PublicUrl"))).Domain;
        Demand(Uri.CheckHostName(domain) == UriHostNameType.Dns, $"Mails cannot be signed for {domain}: set Mail:From to an address at your domain, or Mail:Dkim:Domain.");
        try
        {
            return new Dkim(File.ReadAllText(mail.Dkim.KeyFile), new IdnMapping().GetAscii(domain), mail.Dkim.Selector);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or System.Security.Cryptography.CryptographicException)
        {
            throw new InvalidOperationException($"Mail:Dkim:KeyFile cannot be used: it must be a file with a private RSA key, PEM, as `openssl genrsa -out dkim.pem 2048` makes it. {e.Message}", e);
        }
    }

    private static void Demand(bool met, string message)
    {
        if (!met) throw new InvalidOperationException(message);
    }
}
