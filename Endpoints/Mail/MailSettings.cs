using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;

namespace Signup.Mail;

/// <summary>Settings <c>Mail:…</c>. The defaults are in appsettings.json.</summary>
[SuppressMessage("Performance", "CA1819:Properties should not return arrays", Justification = "The configuration binder fills arrays.")]
public sealed record MailSettings
{
    /// <summary>Sender of all mails, as in a mail's From. Empty: <c>no-reply@</c> the host of <c>Signup:PublicUrl</c>.</summary>
    public string From { get; init; } = "";

    /// <summary>How mails are signed.</summary>
    public DkimSettings Dkim { get; init; } = new();

    /// <summary>Further headers of each mail, as <c>Name: value</c>. <c>{mail}</c> in a value is the mail's name, as in its Message-ID before the host: for
    /// providers that send on what such a header says, and not the Message-ID, when they tell what became of a mail.</summary>
    public string[] Headers { get; init; } = [];

    /// <summary>Folder with the templates, relative to the program.</summary>
    [Required]
    public string Templates { get; init; } = "templates";

    /// <summary>The most connections to the provider at once, from this process.</summary>
    [Range(1, 256)]
    public int Connections { get; init; } = 4;

    /// <summary>The most mails a second, from this process; 0: as fast as it goes.</summary>
    [Range(0, 10_000)]
    public double MailsPerSecond { get; init; }

    /// <summary>How long after the first mail each reminder follows, ascending.</summary>
    public TimeSpan[] Reminders { get; init; } = [];

    /// <summary>How long a link is valid, and an account may stay without being activated.</summary>
    public TimeSpan ExpireAfter { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Pause before <c>ExpireAccount</c> is sent again, as long as no <c>AccountExpired</c> has come.</summary>
    public TimeSpan ExpireRepeat { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The least time between two mails that a user asks for.</summary>
    public TimeSpan ResendCooldown { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How many mails a user may ask for in 24 hours.</summary>
    [Range(0, 1000)]
    public int ResendsPerDay { get; init; } = 5;

    /// <summary>First pause after the provider did not take a mail; doubles each time up to <see cref="RetryCap"/>.</summary>
    public TimeSpan RetryFirst { get; init; } = TimeSpan.FromMinutes(1);

    public TimeSpan RetryCap { get; init; } = TimeSpan.FromHours(4);

    /// <summary>How often a mail may be put off before it is given up. With the default pauses this is after five days,
    /// the time after which RFC 5321, 4.5.4.1 gives up.</summary>
    [Range(0, 100_000)]
    public int Retries { get; init; } = 37;

    /// <summary>First pause before a provider in trouble is tried again; doubles each time up to <see cref="ProbeCap"/>.</summary>
    public TimeSpan ProbeFirst { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan ProbeCap { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often to look for what has become due by time alone, or by another process.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);
}
