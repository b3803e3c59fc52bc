namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: somebody who is signed in wants another address. A link goes there. Answered with a
/// <see cref="Uniqueness.Verdict"/>, by whoever decides it in the end: <c>Accepted</c> also to a repetition, <c>NotUnique</c> where the address is taken, <c>VersionConflict</c> where something else happened to
/// the account meanwhile, so that the same can be asked again; <c>TooMany</c> where so many links of the account are valid as may be; <c>Refused</c> where the account's password is not the one that was verified; <c>Invalid</c> where the account is not active, or this can be no other address.</summary>
/// <param name="Verified">What was typed as the password, hashed as the account's is.</param>
/// <param name="Email">As typed.</param>
/// <param name="ExpiresAt">End of the validity of the link, in whole seconds.</param>
/// <param name="HideTaken">Whoever asks is not to learn whether the address is taken: it is not reserved, and only whoever has the link learns it.</param>
public sealed record RequestEmailChange(Guid AccountId, string Verified, string Email, DateTimeOffset ExpiresAt, DateTimeOffset RequestedAt, bool HideTaken = false);
