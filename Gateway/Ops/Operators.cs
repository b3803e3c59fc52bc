using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Signup.Gateway.Ops;

/// <summary>
/// Who may see <c>/ops</c>: whoever has the key <c>Ops:ApiKey</c>, for eight hours at a time. Without such a key there is no <c>/ops</c>.
/// The session is a signed cookie, so any gateway knows it; another key ends all of them.
/// </summary>
public sealed class Operators(IConfiguration settings, TimeProvider time)
{
    public const string Cookie = "operator";

    /// <summary>A name is for the audit trail; longer ones are cut.</summary>
    public const int LongestName = 60;

    private static readonly TimeSpan Session = TimeSpan.FromHours(8);

    private readonly byte[] _key = Encoding.UTF8.GetBytes(settings["Ops:ApiKey"] ?? "");

    public bool MayExist => _key.Length > 0;

    public bool IsKey(string? given) => MayExist && CryptographicOperations.FixedTimeEquals(SHA256.HashData(_key), SHA256.HashData(Encoding.UTF8.GetBytes(given ?? "")));

    /// <summary>The operator's name, or null for anyone else.</summary>
    public string? Find(HttpRequest request)
    {
        if (!MayExist || request.Cookies[Cookie]?.Split('.') is not [var payload, var proof]) return null;
        if (!Base64Url.IsValid(payload) || !Base64Url.IsValid(proof) || !CryptographicOperations.FixedTimeEquals(Base64Url.DecodeFromChars(proof), Proof(payload))) return null;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(payload)).Split('\n', 2);
        return parts is [var until, var name] && long.Parse(until, CultureInfo.InvariantCulture) > time.GetUtcNow().ToUnixTimeSeconds() ? name : null;
    }

    public void SignIn(HttpContext http, string name)
    {
        name = name.Trim().ReplaceLineEndings(" ");
        var until = (time.GetUtcNow() + Session).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var payload = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{until}\n{name[..Math.Min(name.Length, LongestName)]}"));
        http.Response.Cookies.Append(Cookie, $"{payload}.{Base64Url.EncodeToString(Proof(payload))}", Options(http));
    }

    public void SignOut(HttpContext http) => http.Response.Cookies.Delete(Cookie, Options(http));

    private static CookieOptions Options(HttpContext http) =>
        new() { HttpOnly = true, Secure = http.Request.IsHttps, SameSite = SameSiteMode.Strict, Path = "/ops", IsEssential = true, MaxAge = Session };

    private byte[] Proof(string payload) => HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes("operator\0" + payload));
}
