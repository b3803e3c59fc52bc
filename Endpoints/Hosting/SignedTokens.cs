using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Signup.Hosting;

public enum TokenState { Valid, Expired, Invalid }

/// <summary>
/// Tokens that say "whoever holds this may do <c>purpose</c> for this account until then", signed with HMAC-SHA256 (RFC 2104).
/// The same account, purpose, expiry and generation give the same token for ever, so a mail that is sent again holds the same link: ASP.NET Core's data protection and JSON Web
/// Tokens with a time of issue give another each time, and the former keeps its keys in files that every process would have to share.
/// </summary>
/// <param name="keys">At least 32 bytes each, shared by gateway and Mail. The first signs, all verify.</param>
public sealed class SignedTokens(IReadOnlyList<byte[]> keys, TimeProvider time)
{
    // Account (16 bytes), generation (3), end of validity in Unix seconds (5), signature (32).
    private const int PayloadLength = 16 + 3 + 5, TokenLength = PayloadLength + 32;

    private const int ExpiryBits = 5 * 8, MostGeneration = (1 << 23) - 1;

    /// <param name="generation">Of what the token is about, such as the account's address: how often it had changed by then, up to 8,388,607. That it is the latest one is
    /// for whoever knows the account to check.</param>
    public string Issue(string purpose, Guid accountId, DateTimeOffset expires, int generation = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(generation);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(generation, MostGeneration);
        Span<byte> token = stackalloc byte[TokenLength];
        accountId.TryWriteBytes(token, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(token[16..], ((long)generation << ExpiryBits) | expires.ToUnixTimeSeconds());
        Sign(keys[0], purpose, token[..PayloadLength], token[PayloadLength..]);
        return Base64Url.EncodeToString(token);
    }

    /// <param name="token">As it came: what cannot belong to a token, such as what mail programs put behind a link or break it with, is left out.</param>
    /// <param name="accountId">The account, where the token is valid or expired.</param>
    /// <param name="generation">That it was issued for, likewise.</param>
    public TokenState Read(string purpose, string? token, out Guid accountId, out int generation)
    {
        (accountId, generation) = (default, 0);
        Span<byte> bytes = stackalloc byte[TokenLength], signature = stackalloc byte[32];
        var clean = Clean(token);
        if (clean.Length != Base64Url.GetEncodedLength(TokenLength) || !Base64Url.IsValid(clean)) return TokenState.Invalid;
        if (!Base64Url.TryDecodeFromChars(clean, bytes, out var length) || length != TokenLength) return TokenState.Invalid;
        var isSigned = false;
        foreach (var key in keys)
        {
            Sign(key, purpose, bytes[..PayloadLength], signature);
            isSigned |= CryptographicOperations.FixedTimeEquals(signature, bytes[PayloadLength..]);
        }
        if (!isSigned) return TokenState.Invalid;
        accountId = new Guid(bytes[..16], bigEndian: true);
        var rest = BinaryPrimitives.ReadInt64BigEndian(bytes[16..]);
        generation = (int)(rest >> ExpiryBits);
        return time.GetUtcNow().ToUnixTimeSeconds() < (rest & ((1L << ExpiryBits) - 1)) ? TokenState.Valid : TokenState.Expired;
    }

    /// <summary>When a token ends that is valid for so long from now on, in whole seconds, as it holds it.</summary>
    public static DateTimeOffset End(DateTimeOffset now, TimeSpan lifetime) => DateTimeOffset.FromUnixTimeSeconds((now + lifetime).ToUnixTimeSeconds());

    public TokenState Read(string purpose, string? token, out Guid accountId) => Read(purpose, token, out accountId, out _);

    private static string Clean(string? token) => string.Concat((token ?? "").Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));

    private static void Sign(byte[] key, string purpose, ReadOnlySpan<byte> payload, Span<byte> signature)
    {
        // The purpose is part of what is signed: a token for one purpose is no token for another.
        var name = Encoding.UTF8.GetBytes(purpose);
        Span<byte> message = stackalloc byte[name.Length + 1 + PayloadLength];
        name.CopyTo(message);
        message[name.Length] = 0;
        payload.CopyTo(message[(name.Length + 1)..]);
        HMACSHA256.HashData(key, message, signature);
    }
}
