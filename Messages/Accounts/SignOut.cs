namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: this session is to end before its time. Answered with an <see cref="AccountVerdict"/>.</summary>
public sealed record SignOut(Guid AccountId, Guid SessionId, DateTimeOffset RequestedAt);
