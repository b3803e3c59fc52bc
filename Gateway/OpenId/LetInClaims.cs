using System.Globalization;
using System.Security.Claims;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using Signup.Gateway.Accounts;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Signup.Gateway.OpenId;

/// <summary>What an application is told of an account, and what only the gateway reads again.</summary>
public static class LetInClaims
{
    public const string Session = "session", Generation = "session_generation", Code = "code";

    public static readonly string[] Scopes = [OpenIddictConstants.Scopes.OpenId, OpenIddictConstants.Scopes.Profile, OpenIddictConstants.Scopes.Email];

    /// <summary>Who it is, for ever the same; the user name for <c>profile</c>, and the address for <c>email</c>, which only an active account has shown to be its own.</summary>
    public static ClaimsIdentity Of(AccountView account, IEnumerable<string> scopes)
    {
        var identity = new ClaimsIdentity(TokenValidationParameters.DefaultAuthenticationType, Claims.Name, Claims.Role).SetClaim(Claims.Subject, $"{account.Id}");
        foreach (var scope in scopes)
        {
            if (scope == OpenIddictConstants.Scopes.Profile) identity.SetClaim(Claims.Name, account.Username).SetClaim(Claims.PreferredUsername, account.Username);
            if (scope == OpenIddictConstants.Scopes.Email) identity.SetClaim(Claims.Email, account.Email).SetClaim(Claims.EmailVerified, true);
        }
        return identity;
    }

    /// <summary>Which session a code or a token for userinfo is of.</summary>
    public static (Guid AccountId, Guid SessionId, int Generation) Read(ClaimsPrincipal principal) => (
        Guid.Parse(principal.GetClaim(Claims.Subject)!), Guid.Parse(principal.GetClaim(Session)!), int.Parse(principal.GetClaim(Generation)!, CultureInfo.InvariantCulture));

    /// <summary>Which tokens have it, besides the code. That for userinfo is sealed, and holds no personal data.</summary>
    public static IEnumerable<string> DestinationsOf(Claim claim) => claim.Type switch
    {
        Claims.Subject => [Destinations.IdentityToken, Destinations.AccessToken],
        Session or Generation => [Destinations.AccessToken],
        Code => [],
        _ => [Destinations.IdentityToken],
    };
}
