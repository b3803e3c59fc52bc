namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c> once it has verified the token of a link for it. Answered with an <see cref="AccountVerdict"/>:
/// <c>Refused</c> where the link is dead, since it was used, or password or address were replaced otherwise.</summary>
/// <param name="Credentials">How often password or address had been replaced when the link was asked for.</param>
/// <param name="PasswordHash">The new one's: a PHC string (Argon2id).</param>
public sealed record ResetPassword(Guid AccountId, int Credentials, string PasswordHash, DateTimeOffset RequestedAt);
