using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using OpenIddict.Server.AspNetCore;

namespace Signup.Gateway.OpenId;

/// <summary>How OpenIddict is told what to answer an application.</summary>
internal static class OpenIdAnswers
{
    private const string Scheme = OpenIddictServerAspNetCoreDefaults.AuthenticationScheme;

    /// <returns>What the request's code or token says; where it is somebody's request, what its hint does.</returns>
    public static async Task<ClaimsPrincipal?> ReadAsync(HttpContext http) => (await http.AuthenticateAsync(Scheme)).Principal;

    public static IResult Issue(ClaimsPrincipal principal) => Results.SignIn(principal, authenticationScheme: Scheme);

    /// <param name="description">For whoever has made the application.</param>
    public static IResult Refuse(string error, string? description = null) => Results.Forbid(new AuthenticationProperties(new Dictionary<string, string?>
    {
        [OpenIddictServerAspNetCoreConstants.Properties.Error] = error,
        [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = description,
    }), [Scheme]);
}
