using System.Text.Json.Serialization;

namespace Signup.Messages.Mail;

/// <summary>Command, sent by the gateway to <c>accounts</c>: the mail provider has told what became of a mail. Repeated, it is one fact.</summary>
/// <param name="Purpose">As in <see cref="ActivationMailSent"/> and <see cref="MailSent"/>.</param>
/// <param name="Reason">The class of the reason of a bounce; else null.</param>
/// <param name="At">When it happened, as far as the provider said.</param>
public sealed record RecordMailEvent(Guid AccountId, string Purpose, MailEvent Event, string? Reason, DateTimeOffset At);

[JsonConverter(typeof(JsonStringEnumConverter<MailEvent>))]
public enum MailEvent
{
    /// <summary>The recipient's server took it.</summary>
    Delivered,
    /// <summary>It came back, or was never tried.</summary>
    Bounced,
    /// <summary>The recipient says that it was unwanted.</summary>
    Complained,
}
