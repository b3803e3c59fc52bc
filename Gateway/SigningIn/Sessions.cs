using Microsoft.Extensions.Options;
using Signup.Gateway.Accounts;
using Signup.Hosting;

namespace Signup.Gateway.SigningIn;

/// <summary>Settings <c>Sessions:…</c>.</summary>
public sealed record SessionSettings
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(400);

    /// <summary>From signing in to having to do so again. At most 400 days, which is for how long browsers keep a cookie (RFC 6265bis, 5.6.2).</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromDays(14);
}

/// <summary>Somebody is signed in, as a token says it.</summary>
/// <param name="Generation">How often all of the account's sessions had ended when it began.</param>
/// <param name="IsCookie">A browser sends it by itself, whoever made it ask.</param>
public sealed record Session(Guid AccountId, Guid Id, int Generation, string Token, bool IsCookie)
{
    /// <summary>When somebody signed in, which its id tells (RFC 9562, 5.7); null: it is from a time when ids did not.</summary>
    public DateTimeOffset? BeganAt => Id.Version == 7 ? DateTimeOffset.FromUnixTimeMilliseconds(Convert.ToInt64(Id.ToString("N")[..12], 16)) : null;
}

/// <summary>The same, and the log does not say that it has ended.</summary>
public sealed record SignedIn(Session Session, AccountView Account);

/// <summary>
/// Sessions are signed tokens, which programs send as bearer and browsers as a cookie: nobody stores them. That one has ended before its time is in the log, so each is
/// held against the account as it is now.
/// </summary>
public sealed class Sessions(SignedTokens tokens, QueryClient query, IOptions<SessionSettings> settings, TimeProvider time)
{
    private const int IdLength = 32;

    /// <param name="generation">As the account has it now.</param>
    public (Session Session, DateTimeOffset ExpiresAt) Begin(Guid accountId, int generation)
    {
        var now = time.GetUtcNow();
        var (id, expires) = (Guid.CreateVersion7(now), SignedTokens.End(now, settings.Value.Lifetime));
        return (new(accountId, id, generation, $"{id:N}{tokens.Issue(PurposeOf(id), accountId, expires, generation)}", IsCookie: true), expires);
    }

    public void SetCookie(HttpContext http, Session session) => http.Response.Cookies.Append(CookieName(http.Request), session.Token, Options(http, settings.Value.Lifetime));

    public static void DeleteCookie(HttpContext http) => http.Response.Cookies.Delete(CookieName(http.Request), Options(http, null));

    /// <summary>What the request's token says. Whether it has ended before its time is another question.</summary>
    /// <returns>Null where it has none that is valid.</returns>
    public Session? Read(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        var isBearer = authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase);
        var token = isBearer ? authorization["Bearer ".Length..].Trim() : request.Cookies[CookieName(request)];
        if (token is not { Length: > IdLength } || !Guid.TryParseExact(token[..IdLength], "N", out var id)) return null;
        return tokens.Read(PurposeOf(id), token[IdLength..], out var accountId, out var generation) == TokenState.Valid ? new(accountId, id, generation, token, !isBearer) : null;
    }

    /// <returns>Null where nobody is signed in.</returns>
    /// <exception cref="QueryUnavailableException">It is not known now.</exception>
    public async Task<SignedIn?> FindAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (Read(request) is not { } session || await query.FindOwnAsync(session.AccountId, cancellation) is not { } own) return null;
        return own.Account.Status is AccountView.Pending or AccountView.Active && own.Sessions.Admits(session.Generation, session.Id) ? new(session, own.Account) : null;
    }

    private static string PurposeOf(Guid id) => $"session {id:N}";

    /// <summary>Under https its prefix keeps other hosts of the domain from setting it (RFC 6265bis, 4.1.3).</summary>
    private static string CookieName(HttpRequest request) => request.IsHttps ? "__Host-session" : "session";

    // Lax: a link in a mail leads to where one is signed in. What changes something is no link.
    private static CookieOptions Options(HttpContext http, TimeSpan? age) =>
        new() { HttpOnly = true, Secure = http.Request.IsHttps, SameSite = SameSiteMode.Lax, Path = "/", IsEssential = true, MaxAge = age };
}
