namespace Signup.EventLog.Accounts;

public enum MailState
{
    /// <summary>The account exists; its mail is on the way to the provider.</summary>
    Queued,
    /// <summary>The provider took the last one.</summary>
    Sent,
    /// <summary>The provider refused the last one for good.</summary>
    Failed,
    /// <summary>The provider took the last one, and could not deliver it.</summary>
    Bounced,
    /// <summary>Whoever got one did not want it. No other follows to this address.</summary>
    Complained,
}

/// <summary>What is known of the activation mail to the address the account has.</summary>
/// <param name="Count">How many the provider took, reminders and repeats included.</param>
/// <param name="Purpose">Of the last one, such as <c>activation</c> or <c>reminder-1</c>.</param>
/// <param name="FailedAt">When the last one failed, came back, or was complained of.</param>
/// <param name="Reason">The class of the reason of the last failure, where the last one failed or came back.</param>
/// <param name="DeliveredAt">When the last one arrived at the recipient's server, where the provider says so.</param>
public sealed record MailStatus(
    MailState State, int Count, string? Purpose = null, DateTimeOffset? SentAt = null, DateTimeOffset? FailedAt = null, string? Reason = null, DateTimeOffset? DeliveredAt = null)
{
    public static readonly MailStatus Queued = new(MailState.Queued, 0);

    /// <summary>No mail reaches the address, as far as is known.</summary>
    public bool IsInVain() => State is MailState.Failed or MailState.Bounced or MailState.Complained;

    /// <summary>What is known after one more event. What became of a mail to an earlier address says nothing of this one.</summary>
    /// <param name="addressChanges">How often the address was replaced before.</param>
    public MailStatus Apply(object @event, int addressChanges)
    {
        return @event switch
        {
            ActivationMailSent e when To(e.Purpose) => Sent(e),
            ActivationMailFailed e when To(e.Purpose) => this with { State = MailState.Failed, Purpose = e.Purpose, FailedAt = e.FailedAt, Reason = e.Reason },
            // What the provider says comes late, in any order, or before it is known that it took the mail. Of a mail that was followed by another it says nothing any more.
            MailDelivered e when To(e.Purpose) && IsLast(e.Purpose) && State is not (MailState.Bounced or MailState.Complained) => new(MailState.Sent, Count, e.Purpose, SentAt, DeliveredAt: e.DeliveredAt),
            MailBounced e when To(e.Purpose) && IsLast(e.Purpose) && State != MailState.Complained =>
                this with { State = MailState.Bounced, Purpose = e.Purpose, FailedAt = e.BouncedAt, Reason = e.Reason, DeliveredAt = null },
            MailComplained e when To(e.Purpose) => this with { State = MailState.Complained, FailedAt = e.ComplainedAt, Reason = null },
            _ => this,
        };

        bool To(string purpose) => MailPurpose.MailOf(purpose, addressChanges) is not null;
    }

    private MailStatus Sent(ActivationMailSent e) => State == MailState.Complained || (State == MailState.Bounced && Purpose == e.Purpose)
        ? this with { Count = Count + 1, SentAt = e.SentAt }
        : new(MailState.Sent, Count + 1, e.Purpose, e.SentAt, DeliveredAt: Purpose == e.Purpose ? DeliveredAt : null);

    private bool IsLast(string purpose) => Purpose is null || Purpose == purpose;
}
