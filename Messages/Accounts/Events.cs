namespace Signup.Messages.Accounts;

/// <summary>Event: the account exists and its e-mail address is claimed. Committed by Uniqueness, published to all.
/// Never carries the password hash.</summary>
/// <param name="AccountId">The account, and its stream in the log.</param>
/// <param name="Version">The event's number in the account's stream, from 1.</param>
public sealed record AccountCreated(Guid AccountId, long Version, string Username, string Email, string Language, DateTimeOffset CreatedAt);

/// <summary>Event: whoever reads mail at the account's address followed the link. Committed by Accounts.</summary>
public sealed record AccountActivated(Guid AccountId, long Version, DateTimeOffset ActivatedAt);

/// <summary>Event: nobody activated the account in time; its address is free again. Committed by Uniqueness.</summary>
public sealed record AccountExpired(Guid AccountId, long Version, string Email, DateTimeOffset ExpiredAt);

/// <summary>Event: whoever is signed in wants another address for the account; a link goes there. Until the link is used, or is over, nobody else gets that address, unless taken addresses are hidden. Committed by Uniqueness. Never carries the link.</summary>
/// <param name="ExpiresAt">End of the link's validity.</param>
public sealed record EmailChangeRequested(Guid AccountId, long Version, string NewEmail, DateTimeOffset ExpiresAt, DateTimeOffset RequestedAt);

/// <summary>Event: the account's address was replaced by another. Committed by Uniqueness.</summary>
public sealed record EmailChanged(Guid AccountId, long Version, string OldEmail, string NewEmail, DateTimeOffset ChangedAt);

/// <summary>Event: the account is gone; its address is free again. Committed by Uniqueness.</summary>
/// <param name="Email">Empty where the person was forgotten, as are names and addresses in the account's other events that are published from then on.</param>
/// <param name="Forgotten">The person wants to be forgotten: whoever has kept anything of theirs deletes it.</param>
public sealed record AccountDeleted(Guid AccountId, long Version, string Email, DateTimeOffset DeletedAt, bool Forgotten = false);

/// <summary>Event: at a sign-in the account's password was hashed anew, since hashes cost something else by now. Committed by Accounts. Never carries the hash.</summary>
public sealed record PasswordRehashed(Guid AccountId, long Version, DateTimeOffset RenewedAt);

/// <summary>Event: the account has another password; all sessions ended that had begun by then, but one. Committed by Accounts. Never carries the new one in any form.</summary>
/// <param name="SessionId">Of the session that goes on; null: none does.</param>
public sealed record PasswordChanged(Guid AccountId, long Version, Guid? SessionId, DateTimeOffset ChangedAt);

/// <summary>Event: somebody has forgotten the account's password, or says so; a link to choose another one goes to its address. Committed by Accounts. Never carries the link.</summary>
/// <param name="ExpiresAt">End of the link's validity.</param>
public sealed record PasswordResetRequested(Guid AccountId, long Version, DateTimeOffset ExpiresAt, DateTimeOffset RequestedAt);

/// <summary>Event: somebody wanted to sign up with the account's address, and was not told that it is taken; the account's owner is, by mail. Committed by Accounts.</summary>
public sealed record SignUpAttempted(Guid AccountId, long Version, DateTimeOffset AttemptedAt);

/// <summary>Event: the account has another user name. Committed by Uniqueness.</summary>
public sealed record UsernameChanged(Guid AccountId, long Version, string OldUsername, string NewUsername, DateTimeOffset ChangedAt);

/// <summary>Event: an application was told whose account it is, by somebody who is signed in. Committed by Accounts.</summary>
/// <param name="Application">Its id, as the gateway's file of applications has it.</param>
public sealed record SignedInToApplication(Guid AccountId, long Version, string Application, Guid CodeId, Guid RequestId, DateTimeOffset SignedInAt);

/// <summary>Event: one session of the account ended before its time. Committed by Accounts.</summary>
public sealed record SignedOut(Guid AccountId, long Version, Guid SessionId, DateTimeOffset SignedOutAt);

/// <summary>Event: all of the account's sessions ended that had begun by then. Committed by Accounts.</summary>
public sealed record SignedOutEverywhere(Guid AccountId, long Version, DateTimeOffset SignedOutAt);
