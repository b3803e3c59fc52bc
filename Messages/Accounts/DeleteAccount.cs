namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: somebody who is signed in wants the account to be gone. Answered with a <see cref="Uniqueness.Verdict"/>: <c>Accepted</c> also where it is gone
/// already, and no less forgotten than was asked for; <c>Refused</c> where the account's password is not the one that was verified; <c>Invalid</c> where it is not active.</summary>
/// <param name="Verified">What was typed as the password, hashed as the account's is.</param>
/// <param name="Forget">Nobody is to be able to read any more whose account it was.</param>
public sealed record DeleteAccount(Guid AccountId, string Verified, DateTimeOffset RequestedAt, bool Forget = false);
