using Signup.Gateway.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.OwnAccount;

/// <summary>Whoever is signed in, and knows the password, leaves: by a form, or by <c>DELETE</c>.</summary>
public static class DeleteAccountRoutes
{
    public const string Path = $"{OwnAccountRoutes.Path}/delete";

    /// <summary>In the address of the <c>DELETE</c>: what is known of the person is to be destroyed as well.</summary>
    private const string Forget = "forget";

    public static void MapDeleteAccount(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, (HttpContext http, OwnAccountDesk desk) => desk.ShowAsync(http, (account, formToken) => Form(http, account, formToken, FormView.First)));
        app.MapPost(Path, DeleteAsync);
        app.MapDelete(OwnAccountRoutes.Path, DeleteAsync);
    }

    private static Task<IResult> DeleteAsync(HttpContext http, OwnAccountDesk desk, PasswordCheck passwords, AccountCommands commands)
    {
        var texts = Client.Texts(http.Request);
        return desk.ChangeAsync(http, (account, formToken, view) => Form(http, account, formToken, view), Done, (signedIn, fields) => LeaveAsync(http, signedIn, fields, passwords, commands));

        IResult Done() => Body.IsForm(http.Request) ? ChangeAnswers.Message(200, texts, texts.DeletedTitle, texts.AccountDeleted, NextStep.Start, isGood: true) : Results.NoContent();
    }

    private static async Task<ChangeOutcome> LeaveAsync(HttpContext http, SignedIn signedIn, Fields fields, PasswordCheck passwords, AccountCommands commands)
    {
        var (texts, password) = (Client.Texts(http.Request), "");
        // Whoever has deleted the account cannot ask for it any more.
        if (http.Request.Query.TryGetValue(Forget, out var wish) && wish != "false") return new ChangeOutcome.Refused(400, "forgetting-unsupported", texts.BadRequestTitle, texts.ForgettingUnsupported);
        if (fields.Check(Field.Password, typed => SignUpValidation.ReadPassword(typed, out password)) is { } fault) return new ChangeOutcome.Invalid(fault);
        if (signedIn.Account.Status != AccountView.Active) return new ChangeOutcome.Refused(409, "not-active", texts.NotActiveTitle, texts.NotActiveYet);
        return await passwords.TryAsync(http, signedIn.Account, password, Field.Password, async verified =>
        {
            var (verdict, _) = await commands.ProposeAsync(now => new DeleteAccount(signedIn.Account.Id, verified, now), http.RequestAborted);
            if (verdict is { Outcome: VerdictOutcome.Accepted } && signedIn.Session.IsCookie) Sessions.DeleteCookie(http);
            return verdict is { Outcome: VerdictOutcome.Refused } ? null : ChangeOutcome.Of(verdict, texts, _ => null);
        });
    }

    private static Page<DeleteAccountPage> Form(HttpContext http, AccountView account, string formToken, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(DeleteAccountPage.View)] = view,
        [nameof(DeleteAccountPage.Account)] = account,
        [nameof(DeleteAccountPage.FormToken)] = formToken,
    });
}
