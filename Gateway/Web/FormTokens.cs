using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;
using Signup.Hosting.Http;

namespace Signup.Gateway.Web;

/// <summary>
/// Shows that a form that comes back was rendered by us, for the browser that sends it: a random cookie, and in the form its signature
/// (OWASP's "signed double-submit cookie"). The framework's own antiforgery does the same with keys that it keeps in files: then every gateway
/// would own something durable and all would have to share it. The signing key is shared already.
/// </summary>
public sealed class FormTokens(DerivedKeys keys)
{
    public const string Field = "formToken";

    private const int Length = 16;

    /// <summary>The value for <see cref="Field"/>. Sets the cookie where there is none.</summary>
    public string Issue(HttpContext http)
    {
        if (!TryReadCookie(http.Request, out var cookie))
        {
            cookie = RandomNumberGenerator.GetBytes(Length);
            var encoded = Base64Url.EncodeToString(cookie);
            http.Response.Cookies.Append(CookieName(http.Request), encoded, new CookieOptions
            {
                HttpOnly = true, Secure = http.Request.IsHttps, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true,
            });
            // A page with two forms has one cookie.
            http.Request.Headers.Cookie = StringValues.Concat(http.Request.Headers.Cookie, $"{CookieName(http.Request)}={encoded}");
        }
        return Base64Url.EncodeToString(keys.FormProof(cookie));
    }

    public bool AreValid(HttpRequest request, IReadOnlyDictionary<string, StringValues> form) => AreValid(request, Fields.Of(form));

    public bool AreValid(HttpRequest request, Fields form)
    {
        if (request.IsFromAnotherSite()) return false;
        if (!TryReadCookie(request, out var cookie) || form[Field] is not { } given) return false;
        Span<byte> proof = stackalloc byte[HMACSHA256.HashSizeInBytes];
        return given.Length == Base64Url.GetEncodedLength(proof.Length) && Base64Url.IsValid(given) && Base64Url.TryDecodeFromChars(given, proof, out var length)
            && length == proof.Length && keys.IsFormProof(cookie, proof);
    }

    /// <summary>Under https its prefix keeps other hosts of the domain from setting it (RFC 6265bis, 4.1.3).</summary>
    private static string CookieName(HttpRequest request) => request.IsHttps ? "__Host-form" : "form";

    private static bool TryReadCookie(HttpRequest request, out byte[] cookie)
    {
        cookie = [];
        var value = request.Cookies[CookieName(request)];
        if (value is null || value.Length != Base64Url.GetEncodedLength(Length) || !Base64Url.IsValid(value)) return false;
        cookie = Base64Url.DecodeFromChars(value);
        return true;
    }
}
