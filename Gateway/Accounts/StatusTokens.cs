using Signup.Hosting;

namespace Signup.Gateway.Accounts;

/// <summary>
/// Whoever signed up may see what became of it: with a token, that programs send as bearer and browsers as a cookie. It says which sign-up it was, by a digest
/// of all that was typed, the password included: who guesses somebody's idempotency key gets a token for what they have sent themselves, and never for that person's account.
/// </summary>
public sealed class StatusTokens(SignedTokens tokens)
{
    private const string Cookie = "status";

    /// <summary>It does not expire, so that the answer to a repeated sign-up is the same for ever. It shows what its holder has typed, and no more.</summary>
    private static readonly DateTimeOffset Never = new(9999, 12, 31, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How long a browser keeps it: longer than it takes any sign-up to be activated or to expire.</summary>
    private static readonly TimeSpan CookieAge = TimeSpan.FromDays(30);

    /// <param name="signUpId">See <see cref="EventLog.Accounts.ProposalId"/>.</param>
    public string Issue(Guid accountId, Guid signUpId) => tokens.Issue(PurposeOf(accountId), signUpId, Never);

    /// <summary>Each account has a cookie of its own, sent to its own page only.</summary>
    public void SetCookie(HttpContext http, Guid accountId, Guid signUpId) => http.Response.Cookies.Append(Cookie, Issue(accountId, signUpId), new CookieOptions
    {
        HttpOnly = true,
        Secure = http.Request.IsHttps,
        // Lax: the page must open from a bookmark or a mail, too.
        SameSite = SameSiteMode.Lax,
        Path = $"/users/{accountId}",
        MaxAge = CookieAge,
        IsEssential = true,
    });

    /// <param name="id">The account's, as it stands in the address.</param>
    /// <returns>Null for whoever has no token for it.</returns>
    public StatusProof? Find(HttpRequest request, string id)
    {
        if (!Guid.TryParseExact(id, "D", out var accountId)) return null;
        var authorization = request.Headers.Authorization.ToString();
        var isBearer = authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase);
        var token = isBearer ? authorization["Bearer ".Length..].Trim() : request.Cookies[Cookie];
        return tokens.Read(PurposeOf(accountId), token, out var signUpId) == TokenState.Valid ? new(accountId, signUpId, !isBearer) : null;
    }

    private static string PurposeOf(Guid accountId) => $"status of {accountId}";
}

/// <summary>Someone has shown that they signed up.</summary>
/// <param name="SignUpId">Which sign-up under that id it was.</param>
/// <param name="IsCookie">A browser sends it by itself, whoever made it ask.</param>
public sealed record StatusProof(Guid AccountId, Guid SignUpId, bool IsCookie);
