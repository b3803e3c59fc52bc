namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c>: someone has signed in whose password is hashed at another cost than that in force. Nothing is lost where it is not handled: the next sign-in asks again.</summary>
/// <param name="Verified">The hash that the password was found to have. Where the account has another by then, nothing happens.</param>
/// <param name="PasswordHash">The new one: a PHC string (Argon2id) of the same password.</param>
public sealed record RehashPassword(Guid AccountId, string Verified, string PasswordHash, DateTimeOffset RequestedAt);
