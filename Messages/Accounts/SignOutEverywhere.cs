namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: all sessions are to end that have begun by now. Answered with an <see cref="AccountVerdict"/>.</summary>
/// <param name="Generation">Of the session that asks: how often all had ended before it began. It makes the same command, however often it comes, end them once.</param>
/// <param name="SessionId">Of the session that asks, which may have been kept when others ended.</param>
public sealed record SignOutEverywhere(Guid AccountId, int Generation, DateTimeOffset RequestedAt, Guid SessionId = default);
