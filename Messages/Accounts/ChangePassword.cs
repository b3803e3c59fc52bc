namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: somebody who is signed in wants another password. Answered with an <see cref="AccountVerdict"/>:
/// <c>Refused</c> where the account's password is not the one that was verified.</summary>
/// <param name="SessionId">Of the session that asks. All others end.</param>
/// <param name="Verified">What was typed as the present password, hashed as that is.</param>
/// <param name="PasswordHash">The new one's: a PHC string (Argon2id).</param>
public sealed record ChangePassword(Guid AccountId, Guid SessionId, string Verified, string PasswordHash, DateTimeOffset RequestedAt);
