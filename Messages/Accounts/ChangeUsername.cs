namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: somebody who is signed in wants to be called something else. Answered with a <see cref="Uniqueness.Verdict"/>,
/// by whoever decides it in the end: <c>Accepted</c> also to a repetition, <c>NotUnique</c> where user names are to be unique and this one is taken, <c>VersionConflict</c> where something
/// else happened to the account meanwhile, so that the same can be asked again; <c>Invalid</c> where there is no such account, or this is no user name.</summary>
/// <param name="Username">As typed.</param>
public sealed record ChangeUsername(Guid AccountId, string Username, DateTimeOffset RequestedAt);
