namespace Signup.Messages.Mail;

/// <summary>Event: the mail provider took an activation mail. Committed by Mail.</summary>
/// <param name="Purpose"><c>activation</c> or <c>reminder-1</c>, <c>reminder-2</c>, …; <c>resend-1</c>, ….</param>
public sealed record ActivationMailSent(Guid AccountId, long Version, string Purpose, DateTimeOffset SentAt);

/// <summary>Event: the mail provider refused the account's address for good. Committed by Mail.</summary>
/// <param name="Reason">The class of the reason, such as <c>mailbox-unavailable</c>; never an address.</param>
public sealed record ActivationMailFailed(Guid AccountId, long Version, string Purpose, string Reason, DateTimeOffset FailedAt);
