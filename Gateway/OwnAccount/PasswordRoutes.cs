using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;

namespace Signup.Gateway.OwnAccount;

/// <summary>Whoever is signed in, and knows the password, wants another one: by a form, or by <c>PUT</c>.</summary>
public static class PasswordRoutes
{
    public const string Path = $"{OwnAccountRoutes.Path}/password";

    public static void MapPassword(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, (HttpContext http, OwnAccountDesk desk) => desk.ShowAsync(http, (account, formToken) => Form(http, account, formToken, FormView.First)));
        app.MapPost(Path, TakeAsync);
        app.MapPut(Path, TakeAsync).ForPrograms(Describing.OwnAccount, "Change the password").ForWhoIsSignedIn(", or it is not the present password").Takes([Field.CurrentPassword, Field.NewPassword])
            .Answers(204, "The account has the password, and all other sessions have ended.").MayTakeLonger().LimitsTries().MayBeUnavailable();
    }

    private static Task<IResult> TakeAsync(HttpContext http, OwnAccountDesk desk, PasswordDesk passwords) => desk.ChangeAsync(http,
        (account, formToken, view) => Form(http, account, formToken, view), () => ChangeAnswers.GoOn(http, OwnAccountRoutes.AfterPassword), (signedIn, fields) => passwords.ChangeAsync(http, signedIn, fields));

    private static LocalizedPage<PasswordPage> Form(HttpContext http, AccountView account, string formToken, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(PasswordPage.View)] = view,
        [nameof(PasswordPage.Email)] = account.Email,
        [nameof(PasswordPage.FormToken)] = formToken,
    });
}
