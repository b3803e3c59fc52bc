using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.OwnAccount;

/// <summary>Whoever is signed in, and knows the password, leaves: by a form, or by <c>DELETE</c>.</summary>
public static class DeleteAccountRoutes
{
    public const string Path = $"{OwnAccountRoutes.Path}/delete";

    /// <summary>In the address of the <c>DELETE</c>, or in the form: nobody is to be able to read any more whose account it was.</summary>
    public const string Forget = "forget";

    public static void MapDeleteAccount(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, (HttpContext http, OwnAccountDesk desk) => desk.ShowAsync(http, (account, formToken) => Form(http, account, formToken, FormView.First)));
        app.MapPost(Path, DeleteAsync);
        app.MapDelete(OwnAccountRoutes.Path, DeleteAsync).ForPrograms(Describing.OwnAccount, "Delete the account").ForWhoIsSignedIn(", or it is not the password").Takes([Field.Password])
            .TakesQuery(Forget, "`true`: nobody can read any more whose account it was.").Answers(204, "The account is deleted, and its address free.").MayTakeLonger()
            .Refuses(409, "The account is not active yet.").LimitsTries().MayBeUnavailable();
    }

    private static Task<IResult> DeleteAsync(HttpContext http, OwnAccountDesk desk, PasswordCheck passwords, AccountCommands commands)
    {
        var texts = Client.Texts(http.Request);
        var forgotten = false;
        return desk.ChangeAsync(http, (account, formToken, view) => Form(http, account, formToken, view), Done, async (signedIn, fields) =>
        {
            if (Wish(http.Request, fields) is not { } forget) return new ChangeOutcome.Refused(400, "invalid", texts.BadRequestTitle, texts.ForgetUnclear);
            forgotten = forget;
            return await LeaveAsync(http, signedIn, fields, forget, passwords, commands);
        });

        IResult Done() => Body.IsForm(http.Request)
            ? ChangeAnswers.Message(200, texts, texts.DeletedTitle, forgotten ? texts.AccountForgotten : texts.AccountDeleted, NextStep.Start, isGood: true)
            : Results.NoContent();
    }

    /// <returns>Null: it cannot be told. Whoever has deleted the account cannot ask for it any more.</returns>
    private static bool? Wish(HttpRequest request, Fields fields) => (Body.IsForm(request) ? fields[Forget] : request.Query.TryGetValue(Forget, out var said) ? said.ToString() : null) switch
    {
        null or "false" => false,
        "true" => true,
        _ => null,
    };

    private static async Task<ChangeOutcome> LeaveAsync(HttpContext http, SignedIn signedIn, Fields fields, bool forget, PasswordCheck passwords, AccountCommands commands)
    {
        var (texts, password) = (Client.Texts(http.Request), "");
        if (fields.Check(Field.Password, typed => SignUpValidation.ReadPassword(typed, out password)) is { } fault) return new ChangeOutcome.Invalid(fault);
        if (signedIn.Account.Status != AccountView.Active) return new ChangeOutcome.Refused(409, "not-active", texts.NotActiveTitle, texts.NotActiveYet);
        return await passwords.TryAsync(http, signedIn.Account, password, Field.Password, async verified =>
        {
            var (verdict, _) = await commands.ProposeAsync(now => new DeleteAccount(signedIn.Account.Id, verified, now, forget), http.RequestAborted);
            if (verdict is { Outcome: VerdictOutcome.Accepted } && signedIn.Session.IsCookie) Sessions.DeleteCookie(http);
            return verdict is { Outcome: VerdictOutcome.Refused } ? null : ChangeOutcome.Of(verdict, texts, _ => null);
        });
    }

    private static LocalizedPage<DeleteAccountPage> Form(HttpContext http, AccountView account, string formToken, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(DeleteAccountPage.View)] = view,
        [nameof(DeleteAccountPage.Account)] = account,
        [nameof(DeleteAccountPage.FormToken)] = formToken,
    });
}
