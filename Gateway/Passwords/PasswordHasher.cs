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

    private readonly PasswordBasedKeyDerivationAlgorithm _argon2;
    private readonly string _parameters;

    public PasswordHasher(IOptions<HashingSettings> settings)
    {
        var (memory, passes) = (settings.Value.MemoryKiB, settings.Value.Passes);
        // One lane: libsodium knows no other.
        _argon2 = PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = memory, NumberOfPasses = passes });
        _parameters = string.Create(CultureInfo.InvariantCulture, $"$argon2id$v=19$m={memory},t={passes},p=1$");
    }

    /// <param name="password">As <see cref="Password.Prepare"/> leaves it.</param>
    /// <param name="salt">16 bytes.</param>
    public string Hash(string password, ReadOnlySpan<byte> salt)
    {
        var bytes = Encoding.UTF8.GetBytes(password);
        Span<byte> hash = stackalloc byte[HashLength];
        _argon2.DeriveBytes(bytes, salt, hash);
        CryptographicOperations.ZeroMemory(bytes);
        return _parameters + Base64(salt) + "$" + Base64(hash);
    }

    /// <summary>The PHC string format's Base64 has no padding.</summary>
    private static string Base64(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');
}
