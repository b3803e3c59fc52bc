namespace Signup.Messages.Mail;

/// <summary>Event: the mail provider took an activation mail. Committed by Mail.</summary>
/// <param name="Purpose"><c>activation</c> or <c>reminder-1</c>, <c>reminder-2</c>, …; <c>resend-1</c>, …. Followed by <c>~1</c>, <c>~2</c>, … where
/// the account's address had been replaced so often before.</param>
public sealed record ActivationMailSent(Guid AccountId, long Version, string Purpose, DateTimeOffset SentAt);

/// <summary>Event: the mail provider refused the account's address for good. Committed by Mail.</summary>
/// <param name="Reason">The class of the reason, such as <c>mailbox-unavailable</c>; never an address.</param>
public sealed record ActivationMailFailed(Guid AccountId, long Version, string Purpose, string Reason, DateTimeOffset FailedAt);

/// <summary>Event: the mail provider took a mail that is not about activation. Committed by Mail.</summary>
/// <param name="Purpose"><c>email-changed-2</c>: the notice to the address that the account's event 2 has replaced.</param>
public sealed record MailSent(Guid AccountId, long Version, string Purpose, DateTimeOffset SentAt);

/// <summary>Event: such a mail was given up. Committed by Mail.</summary>
/// <param name="Purpose">As in <see cref="MailSent"/>.</param>
/// <param name="Reason">The class of the reason, such as <c>mailbox-unavailable</c>; never an address.</param>
public sealed record MailFailed(Guid AccountId, long Version, string Purpose, string Reason, DateTimeOffset FailedAt);

/// <summary>Event: the mail provider says that the recipient's server took a mail. Committed by Accounts.</summary>
/// <param name="Purpose">As in <see cref="ActivationMailSent"/> and <see cref="MailSent"/>.</param>
public sealed record MailDelivered(Guid AccountId, long Version, string Purpose, DateTimeOffset DeliveredAt);

/// <summary>Event: the mail provider, which had taken a mail, could not deliver it. Committed by Accounts.</summary>
/// <param name="Purpose">As in <see cref="ActivationMailSent"/> and <see cref="MailSent"/>.</param>
/// <param name="Reason">The class of the reason, such as <c>mailbox-unavailable</c>; never an address.</param>
public sealed record MailBounced(Guid AccountId, long Version, string Purpose, string Reason, DateTimeOffset BouncedAt);

/// <summary>Event: whoever got a mail says that it was unwanted. Committed by Accounts.</summary>
/// <param name="Purpose">As in <see cref="ActivationMailSent"/> and <see cref="MailSent"/>.</param>
public sealed record MailComplained(Guid AccountId, long Version, string Purpose, DateTimeOffset ComplainedAt);
