using System.Numerics;
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

    /// <summary>Of the base point (SP 800-186, 3.2.1.3).</summary>
    private static readonly BigInteger P256Order = new(Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"), isUnsigned: true, isBigEndian: true);

    /// <summary>What was derived when another of the keys was the first, or will be.</summary>
    public IEnumerable<DerivedKeys> Others => signingKeys.Skip(1).Select(k => new DerivedKeys(k));

    /// <summary>Each of the keys as the first.</summary>
    public IEnumerable<DerivedKeys> All => signingKeys.Select(k => new DerivedKeys(k));

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

    /// <summary>Seals what applications carry and do not read: 256 bits.</summary>
    public byte[] OpenIdEncryption() => Derive("openid encryption", []);

    /// <summary>Signs what applications read, who are told only the public half: a key on P-256, whose private half is made of more random bits than it has (FIPS 186-5, A.2.1).</summary>
    public ECDsa OpenIdSigning()
    {
        const int length = 32;
        var bits = new BigInteger([.. Derive("openid signing", [0]), .. Derive("openid signing", [1])], isUnsigned: true, isBigEndian: true);
        var (d, bytes) = (bits % (P256Order - 1) + 1, new byte[length]);
        d.TryWriteBytes(bytes.AsSpan(length - d.GetByteCount(isUnsigned: true)), out _, isUnsigned: true, isBigEndian: true);
        return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = bytes });
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
