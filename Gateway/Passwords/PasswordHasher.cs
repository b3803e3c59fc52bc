using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using NSec.Cryptography;

namespace Signup.Gateway.Passwords;

/// <summary>Argon2id (RFC 9106) by libsodium, written as a PHC string: <c>$argon2id$v=19$m=19456,t=2,p=1$salt$hash</c>.</summary>
public sealed class PasswordHasher
{
    /// <summary>Bytes of hash, as RFC 9106, 4 recommends.</summary>
    public const int HashLength = 32;

    private readonly HashingCost _cost;

    public PasswordHasher(IOptions<HashingSettings> settings) => _cost = settings.Value;

    /// <param name="password">As <see cref="Password.Prepare"/> leaves it.</param>
    /// <param name="salt">16 bytes.</param>
    /// <param name="cost">Other than the setting says.</param>
    public string Hash(string password, ReadOnlySpan<byte> salt, HashingCost? cost = null)
    {
        var (memory, passes) = ((cost ?? _cost).MemoryKiB, (cost ?? _cost).Passes);
        // One lane: libsodium knows no other.
        var argon2 = PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = memory, NumberOfPasses = passes });
        var bytes = Encoding.UTF8.GetBytes(password);
        Span<byte> hash = stackalloc byte[HashLength];
        argon2.DeriveBytes(bytes, salt, hash);
        CryptographicOperations.ZeroMemory(bytes);
        return string.Create(CultureInfo.InvariantCulture, $"$argon2id$v=19$m={memory},t={passes},p=1${Base64(salt)}${Base64(hash)}");
    }

    /// <summary>The PHC string format's Base64 has no padding.</summary>
    private static string Base64(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');
}
