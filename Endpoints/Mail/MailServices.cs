using System.ComponentModel.DataAnnotations;
using Signup.Hosting;

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
        services.AddSingleton(_ => new SentNotes(SignupEndpoint.Setting(configuration, "ConnectionStrings:Postgres")));
        var templates = new MailTemplates(Path.Combine(AppContext.BaseDirectory, mail.Templates));
        services.AddSingleton(s => new MailComposer(templates, SignupEndpoint.Setting(configuration, "Signup:PublicUrl"), mail.From, s.GetRequiredService<SignedTokens>()));
        services.AddHostedService<CreateTable>();
        services.AddProjection<PendingAccounts>("pending-accounts");
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
            "Smtp:Security None would send Smtp:Password in the clear. Use StartTls or Tls.");
        Demand(smtp is { Timeout.Ticks: > 0, MailTimeout.Ticks: > 0, IdleTimeout.Ticks: > 0 }, "Smtp:Timeout, Smtp:MailTimeout and Smtp:IdleTimeout must be longer than zero.");
        Demand(mail.Reminders.SequenceEqual(mail.Reminders.Where(r => r > TimeSpan.Zero).Order()), "Mail:Reminders must be longer than zero and ascending.");
        Demand(mail is { ExpireAfter.Ticks: > 0, ExpireRepeat.Ticks: > 0, RetryFirst.Ticks: > 0, ProbeFirst.Ticks: > 0, Poll.Ticks: > 0, ResendCooldown.Ticks: >= 0 }
            && mail.RetryCap >= mail.RetryFirst && mail.ProbeCap >= mail.ProbeFirst, "Mail:… times must be longer than zero, and caps not shorter than what they cap.");
    }

    private static void Demand(bool met, string message)
    {
        if (!met) throw new InvalidOperationException(message);
    }

    private sealed class CreateTable(Activations activations) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => activations.CreateTableAsync(cancellationToken);
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
