using Signup.Gateway.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.Web;
using Signup.Hosting;

namespace Signup.Gateway.SigningIn;

/// <summary>The account of whoever is signed in.</summary>
public static class OwnAccountRoutes
{
    public const string Path = "/account";

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    public static void MapOwnAccount(this IEndpointRouteBuilder app) => app.MapGet(Path, ShowAsync);

    private static async Task<IResult> ShowAsync(HttpContext http, Sessions sessions, FormTokens formTokens)
    {
        var texts = Client.Texts(http.Request);
        var page = Client.WantsPage(http.Request);
        try
        {
            if (await sessions.FindAsync(http.Request, http.RequestAborted) is not { Account: var account }) return NotSignedIn(http);
            return page
                ? new Page<OwnAccountPage>(200, texts, new() { [nameof(OwnAccountPage.Account)] = account, [nameof(OwnAccountPage.FormToken)] = formTokens.Issue(http) })
                : Results.Json(account);
        }
        catch (QueryUnavailableException)
        {
            Problems.SetRetryAfter(http.Response, RetryAfterOutage);
            return page
                ? new Page<MessagePage>(503, texts, new() { [nameof(MessagePage.Title)] = texts.StatusUnavailableTitle, [nameof(MessagePage.Text)] = texts.StatusUnavailable })
                : Problems.Problem(503, "unavailable", texts.StatusUnavailableTitle, texts.StatusUnavailable);
        }
    }

    /// <summary>A person is taken to where one signs in, a program is told.</summary>
    public static IResult NotSignedIn(HttpContext http)
    {
        if (Client.WantsPage(http.Request))
        {
            http.Response.Headers.Location = SignInRoutes.Path;
            return Results.StatusCode(StatusCodes.Status303SeeOther);
        }
        var texts = Client.Texts(http.Request);
        http.Response.Headers.WWWAuthenticate = "Bearer";
        return Problems.Problem(401, "not-signed-in", texts.NotSignedInTitle, texts.NotSignedIn);
    }
}
