using Signup.Hosting;

namespace Signup.Gateway.SigningIn;

/// <summary>
/// A browser in which somebody has signed in keeps a token that says so, beyond the session (OWASP's "device cookie"). Its failures are counted apart from everybody
/// else's, so that not even somebody on the same network can make the account's owner wait. It opens nothing.
/// </summary>
public sealed class KnownDevices(SignedTokens tokens, TimeProvider time)
{
    private const string Purpose = "known device";

    private static readonly TimeSpan Age = TimeSpan.FromDays(365);

    public void SetCookie(HttpContext http, Guid accountId) => http.Response.Cookies.Append(CookieName(http.Request), tokens.Issue(Purpose, accountId, time.GetUtcNow() + Age), new CookieOptions
    {
        HttpOnly = true, Secure = http.Request.IsHttps, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true, MaxAge = Age,
    });

    /// <returns>The account that was signed in to, and what tells the device from others; null where it is not known.</returns>
    public (Guid AccountId, string Device)? Read(HttpRequest request) =>
        request.Cookies[CookieName(request)] is { } token && tokens.Read(Purpose, token, out var accountId) == TokenState.Valid ? (accountId, token) : null;

    private static string CookieName(HttpRequest request) => request.IsHttps ? "__Host-device" : "device";
}
