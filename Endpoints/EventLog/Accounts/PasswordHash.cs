using System.Security.Cryptography;
using System.Text;

namespace Signup.EventLog.Accounts;

/// <summary>A password's hash as a PHC string (Argon2id): <c>$argon2id$v=19$m=19456,t=2,p=1$salt$hash</c>. Only the gateway makes them; here they are kept and compared.</summary>
public static class PasswordHash
{
    /// <summary>Whether it may be one.</summary>
    public static bool IsOne(string text) => text.StartsWith('$') && text.Length <= Limits.PasswordHash && PlainText.IsPlain(text);

    /// <summary>All of it but the hash itself: how, and with which salt, a password is hashed to be compared with it.</summary>
    public static string SaltOf(string hash) => hash[..Math.Max(0, hash.LastIndexOf('$'))];

    /// <summary>Takes the same time for all of a length.</summary>
    public static bool AreEqual(string one, string other) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));
}
