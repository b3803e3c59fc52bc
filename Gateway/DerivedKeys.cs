using System.Security.Cryptography;
using System.Text;

namespace Signup.Gateway;

/// <summary>
/// What must come out the same on every gateway, after every restart, though none of them stores anything: derived from the signing key
/// by HMAC-SHA256. Each use has a label of its own, so that a value for one is none for another.
/// </summary>
/// <param name="signingKeys">At least 32 bytes each, shared by all gateways. The first is the one to derive from.</param>
public sealed class DerivedKeys(params IReadOnlyList<byte[]> signingKeys)
{
    public const int SaltLength = 16;

    /// <summary>What was derived when another of the keys was the first, or will be.</summary>
    public IEnumerable<DerivedKeys> Others => signingKeys.Skip(1).Select(k => new DerivedKeys(k));

    /// <summary>The account that a sign-up with this idempotency key is for: a UUID of version 8 (RFC 9562, 5.8).</summary>
    public Guid AccountId(string idempotencyKey)
    {
        var id = Derive("account", Encoding.UTF8.GetBytes(idempotencyKey))[..16];
        id[6] = (byte)((id[6] & 0x0F) | 0x80);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new Guid(id, bigEndian: true);
    }

    /// <summary>The salt of an account's password. Unique to the account, and the same again for the same sign-up, so that a repetition can be told from another one.</summary>
    public byte[] Salt(Guid accountId) => Derive("salt", accountId.ToByteArray(bigEndian: true))[..SaltLength];

    /// <summary>What proves that a form was rendered for whoever holds the cookie.</summary>
    public byte[] FormProof(ReadOnlySpan<byte> cookie) => Derive("form", cookie);

    public bool IsFormProof(ReadOnlySpan<byte> cookie, ReadOnlySpan<byte> proof)
    {
        var holds = CryptographicOperations.FixedTimeEquals(proof, FormProof(cookie));
        foreach (var other in Others) holds |= CryptographicOperations.FixedTimeEquals(proof, other.FormProof(cookie));
        return holds;
    }

    private byte[] Derive(string label, ReadOnlySpan<byte> value)
    {
        var name = Encoding.ASCII.GetBytes(label);
        var message = new byte[name.Length + 1 + value.Length];
        name.CopyTo(message, 0);
        value.CopyTo(message.AsSpan(name.Length + 1));
        return HMACSHA256.HashData(signingKeys[0], message);
    }
}
