using OpenIddict.Abstractions;
using Signup.Gateway.Accounts;
using Signup.Gateway.Web;
using Signup.Hosting.Http;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Signup.Gateway.OpenId;

/// <summary>An application asks who it is now: as long as its token is good, and the session that it was given in goes on.</summary>
public static class UserInfoRoutes
{
    public const string Path = $"{OpenIdServices.Root}/userinfo";

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    public static void MapUserInfo(this IEndpointRouteBuilder app) => app.MapMethods(Path, [HttpMethods.Get, HttpMethods.Post], ShowAsync);

    private static async Task<IResult> ShowAsync(HttpContext http, QueryClient query)
    {
        var token = (await OpenIdAnswers.ReadAsync(http))!;
        var (id, session, generation) = LetInClaims.Read(token);
        try
        {
            var own = await query.FindOwnAsync(id, http.RequestAborted);
            if (own?.Account.Status != AccountView.Active || !own.Sessions.Admits(generation, session)) return OpenIdAnswers.Refuse(Errors.InvalidToken, "Whoever it is of is not signed in any more.");
            return Results.Json(LetInClaims.Of(own.Account, token.GetScopes()).Claims.ToDictionary(c => c.Type, object (c) => c.Type == Claims.EmailVerified ? true : c.Value));
        }
        catch (QueryUnavailableException)
        {
            Problems.SetRetryAfter(http.Response, RetryAfterOutage);
            return Problems.Problem(503, "unavailable", Client.Texts(http.Request).StatusUnavailableTitle, Client.Texts(http.Request).StatusUnavailable);
        }
    }
}
