using Signup.Hosting;

namespace Signup.Gateway.Accounts;

/// <summary>Whoever signed up may see what became of it: with a token, that programs send as bearer and browsers as a cookie.</summary>
public sealed class StatusTokens(SignedTokens tokens, IConfiguration settings)
{
    private const string Purpose = "status", Cookie = "status";

    /// <summary>It does not expire, so that the answer to a repeated sign-up is the same for ever. It shows what its holder has typed, and no more.</summary>
    private static readonly DateTimeOffset Never = new(9999, 12, 31, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How long a browser keeps it: longer than it takes any sign-up to be activated or to expire.</summary>
    private static readonly TimeSpan CookieAge = TimeSpan.FromDays(30);

    private readonly bool _publicIsHttps = settings["Signup:PublicUrl"]?.StartsWith("https:", StringComparison.OrdinalIgnoreCase) ?? false;

    public string Issue(Guid accountId) => tokens.Issue(Purpose, accountId, Never);

    /// <summary>Each account has a cookie of its own, sent to its own page only.</summary>
    public void SetCookie(HttpContext http, Guid accountId) => http.Response.Cookies.Append(Cookie, Issue(accountId), new CookieOptions
    {
        HttpOnly = true,
        Secure = http.Request.IsHttps || _publicIsHttps,
        // Lax: the page must open from a bookmark or a mail, too.
        SameSite = SameSiteMode.Lax,
        Path = $"/users/{accountId}",
        MaxAge = CookieAge,
        IsEssential = true,
    });

    public Holder Find(HttpRequest request, Guid accountId)
    {
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return IsFor(authorization["Bearer ".Length..].Trim(), accountId) ? Holder.Bearer : Holder.Nobody;
        return IsFor(request.Cookies[Cookie], accountId) ? Holder.Cookie : Holder.Nobody;
    }

    private bool IsFor(string? token, Guid accountId) => tokens.Read(Purpose, token, out var id) == TokenState.Valid && id == accountId;
}

/// <summary>How someone has shown that they signed up.</summary>
public enum Holder { Nobody, Bearer, Cookie }
