namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: somebody has forgotten the password of the account with this address, or says so. Nobody is answered: nobody is to learn who has an account.</summary>
/// <param name="AccountId">Of whoever has the address, as Uniqueness said; where nobody has, of no account.</param>
/// <param name="Email">As typed.</param>
/// <param name="ExpiresAt">End of the validity of the link, in whole seconds. The same again is the same request.</param>
public sealed record RequestPasswordReset(Guid AccountId, string Email, DateTimeOffset ExpiresAt, DateTimeOffset RequestedAt);
