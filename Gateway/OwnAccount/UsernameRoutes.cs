using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.OwnAccount;

/// <summary>Whoever is signed in wants to be called something else: by a form, or by <c>PUT</c>.</summary>
public static class UsernameRoutes
{
    public const string Path = $"{OwnAccountRoutes.Path}/username";

    public static void MapUsername(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, (HttpContext http, OwnAccountDesk desk) => desk.ShowAsync(http, (account, formToken) => Form(http, account, formToken, FormView.First)));
        app.MapPost(Path, TakeAsync);
        app.MapPut(Path, TakeAsync).ForPrograms(Describing.OwnAccount, "Change the user name").ForWhoIsSignedIn().Takes([Field.Username])
            .Answers(204, "The account has the name.").MayTakeLonger().Refuses(409, "Somebody has the name, where names are unique.").MayBeUnavailable();
    }

    private static Task<IResult> TakeAsync(HttpContext http, OwnAccountDesk desk, AccountCommands commands) => desk.ChangeAsync(http,
        (account, formToken, view) => Form(http, account, formToken, view), () => ChangeAnswers.GoOn(http, OwnAccountRoutes.AfterUsername), (signedIn, fields) => ChangeAsync(http, signedIn, fields, commands));

    private static async Task<ChangeOutcome> ChangeAsync(HttpContext http, SignedIn signedIn, Fields fields, AccountCommands commands)
    {
        var texts = Client.Texts(http.Request);
        if (fields.Check(Field.Username, SignUpValidation.CheckUsername) is { } fault) return new ChangeOutcome.Invalid(fault);
        var (verdict, _) = await commands.ProposeAsync(now => new ChangeUsername(signedIn.Account.Id, fields[Field.Username]!.Trim(), now), http.RequestAborted);
        return ChangeOutcome.Of(verdict, texts, outcome => outcome switch
        {
            VerdictOutcome.NotUnique => new ChangeOutcome.Refused(409, $"{verdict!.Constraint ?? Field.Username}-taken", texts.TakenTitle, texts.OtherTaken(verdict.Constraint ?? Field.Username), Field.Username),
            VerdictOutcome.Invalid => new ChangeOutcome.Refused(400, "refused", texts.BadRequestTitle, texts.Refused),
            _ => null,
        });
    }

    private static LocalizedPage<UsernamePage> Form(HttpContext http, AccountView account, string formToken, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(UsernamePage.View)] = view,
        [nameof(UsernamePage.Username)] = view.Fields[Field.Username] ?? account.Username,
        [nameof(UsernamePage.FormToken)] = formToken,
    });
}
