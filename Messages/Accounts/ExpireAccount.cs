namespace Signup.Messages.Accounts;

/// <summary>Command, sent by Mail's activation policy to <c>accounts</c> when nobody activated an account in time.
/// Accounts decides: an account that is active by then stays.</summary>
public sealed record ExpireAccount(Guid AccountId, DateTimeOffset RequestedAt);
