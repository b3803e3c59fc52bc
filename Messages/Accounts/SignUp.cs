namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c> when someone has filled in the sign-up form.
/// Answered with a <see cref="Uniqueness.Verdict"/>, by whoever decides it in the end.</summary>
/// <param name="AccountId">Chosen by the sender. The same id with the same content is the same sign-up.</param>
/// <param name="Username">As typed; need not be unique.</param>
/// <param name="Email">As typed; mail goes there. Unique after normalization.</param>
/// <param name="PasswordHash">A PHC string (Argon2id). The password itself never leaves the gateway.</param>
/// <param name="Language">BCP 47 primary tag of the language to write mails in.</param>
/// <param name="RequestedAt">When the gateway took the request.</param>
/// <param name="Once">The account's id was derived from an idempotency key: other content under the same id is refused, whatever became of the first.</param>
/// <param name="HideTaken">Whoever asks is not to learn whether the address is taken, and hears nothing: whoever has it does, by mail.</param>
public sealed record SignUp(Guid AccountId, string Username, string Email, string PasswordHash, string Language, DateTimeOffset RequestedAt, bool Once = false, bool HideTaken = false);
