using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;

namespace Signup.Mail;

/// <summary>Settings <c>Mail:…</c>. The defaults are in appsettings.json.</summary>
[SuppressMessage("Performance", "CA1819:Properties should not return arrays", Justification = "The configuration binder fills arrays.")]
public sealed record MailSettings
{
    /// <summary>Sender of all mails, as in a mail's From. Empty: <c>no-reply@</c> the host of <c>Signup:PublicUrl</c>.</summary>
    public string From { get; init; } = "";

    /// <summary>Folder with the templates, relative to the program.</summary>
    [Required]
    public string Templates { get; init; } = "templates";

    /// <summary>The most connections to the provider at once, from this process.</summary>
    [Range(1, 256)]
    public int Connections { get; init; } = 4;

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

    /// <summary>First pause after the provider put an address off (4xx); doubles each time up to <see cref="RetryCap"/>.</summary>
    public TimeSpan RetryFirst { get; init; } = TimeSpan.FromMinutes(1);

    public TimeSpan RetryCap { get; init; } = TimeSpan.FromHours(4);

    /// <summary>How often an address may be put off before it counts as unreachable. With the default pauses this is after five days,
    /// the time after which RFC 5321, 4.5.4.1 gives up.</summary>
    [Range(0, 100_000)]
    public int Retries { get; init; } = 37;

    /// <summary>First pause before a provider in trouble is tried again; doubles each time up to <see cref="ProbeCap"/>.</summary>
    public TimeSpan ProbeFirst { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan ProbeCap { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a mail stays with the process that took it to send, should that process hang. One that dies loses it at once.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Folder on the machine's own file system for the notes of <see cref="SentJournal"/>; should outlive this process. Empty: the system's folder for temporary files.</summary>
    public string Journal { get; init; } = "";

    /// <summary>How often to look for mails that have become due, and that nobody told of.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);
}
