using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.Pages;
using Signup.Gateway.Web;

namespace Signup.Gateway.OwnAccount;

/// <summary>The account of whoever is signed in.</summary>
public static class OwnAccountRoutes
{
    public const string Path = "/account";

    /// <summary>In the page's address: what was changed just now.</summary>
    private const string Changed = "changed", Email = "email", Username = "username", Password = "password";

    /// <summary>Where one goes on to after a change.</summary>
    internal const string AfterEmail = $"{Path}?{Changed}={Email}", AfterUsername = $"{Path}?{Changed}={Username}", AfterPassword = $"{Path}?{Changed}={Password}";

    public static void MapOwnAccount(this IEndpointRouteBuilder app) => app.MapGet(Path, ShowAsync)
        .ForPrograms(Describing.OwnAccount, "See the account").ForWhoIsSignedIn().Answers<AccountView>(200, "The account.").MayBeUnavailable("Not known right now.");

    private static Task<IResult> ShowAsync(HttpContext http, OwnAccountDesk desk) => desk.ShowAsync(http, (account, formToken) =>
    {
        var texts = Client.Texts(http.Request);
        if (!Client.WantsPage(http.Request)) return Results.Json(account);
        return new LocalizedPage<OwnAccountPage>(200, texts, new()
        {
            [nameof(OwnAccountPage.Account)] = account,
            [nameof(OwnAccountPage.FormToken)] = formToken,
            [nameof(OwnAccountPage.Notice)] = http.Request.Query[Changed].ToString() switch { Email => texts.EmailChangeAsked, Username => texts.UsernameChanged, Password => texts.PasswordChanged, _ => null },
        });
    });
}
