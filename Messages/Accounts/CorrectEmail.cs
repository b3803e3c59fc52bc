namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: whoever signed up wants the mail at another address, since none reaches the first. Answered with a
/// <see cref="Uniqueness.Verdict"/>, by whoever decides it in the end: <c>Accepted</c> also to a repetition, <c>NotUnique</c> where the address is taken,
/// <c>VersionConflict</c> where something else happened to the account meanwhile, so that the same can be asked again; <c>Invalid</c> where it is not pending, or mails do arrive.</summary>
/// <param name="Email">As typed; mail goes there. Unique after normalization.</param>
/// <param name="RequestedAt">When the gateway took the request.</param>
public sealed record CorrectEmail(Guid AccountId, string Email, DateTimeOffset RequestedAt);
