namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: somebody who is signed in, and has shown that they know the password, wants another address. A link goes there. Answered with a
/// <see cref="Uniqueness.Verdict"/>, by whoever decides it in the end: <c>Accepted</c> also to a repetition, <c>NotUnique</c> where the address is taken, <c>VersionConflict</c> where something else happened to
/// the account meanwhile, so that the same can be asked again; <c>TooMany</c> where so many links of the account are valid as may be; <c>Invalid</c> where the account is not active, or this can be no other address.</summary>
/// <param name="Email">As typed.</param>
/// <param name="ExpiresAt">End of the validity of the link, in whole seconds.</param>
public sealed record RequestEmailChange(Guid AccountId, string Email, DateTimeOffset ExpiresAt, DateTimeOffset RequestedAt);
