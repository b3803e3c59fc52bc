namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: an application has come with the code that somebody who is signed in has sent it, and may be told whose account it is, once.
/// Answered with an <see cref="AccountVerdict"/>.</summary>
/// <param name="SessionId">Of the session that the code is of.</param>
/// <param name="Generation">Likewise.</param>
/// <param name="Application">Its id.</param>
/// <param name="RequestId">Of what the application has asked: another one with the same code is refused.</param>
public sealed record SignInToApplication(Guid AccountId, Guid SessionId, int Generation, string Application, Guid CodeId, Guid RequestId, DateTimeOffset RequestedAt);
