using Microsoft.Extensions.Options;
using Signup.Gateway.Api;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;

namespace Signup.Gateway.OwnAccount;

/// <summary>Settings <c>PasswordResets:…</c>.</summary>
public sealed record PasswordResetSettings
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>How long a link is valid. At most a day: whoever reads a mailbox later is not to find the way into the account.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>Whoever has forgotten the password asks for a link, and chooses another one behind it: by forms, or by <c>POST</c> and <c>PUT</c>. Whether there is such an account is said to nobody.</summary>
public static class PasswordResetRoutes
{
    public const string AskPath = "/forgot-password", ChoosePath = "/password-reset";

    private const string ApiPath = "/password-resets";

    private static readonly LinkedForm Link = new("password reset", texts => texts.ResetLinkExpired, NextStep.NewLink);

    public static void MapPasswordReset(this IEndpointRouteBuilder app)
    {
        app.MapGet(AskPath, (HttpContext http, FormTokens formTokens) => AskForm(http, formTokens, FormView.First));
        app.MapPost(AskPath, AskAsync);
        app.MapPost(ApiPath, AskAsync).ForPrograms(Describing.OwnAccount, "Ask for another password", "By a link in a mail.").Takes([Field.Email])
            .Answers(202, "If somebody has the address, a link is on its way there.").LimitsTries().MayBeUnavailable();
        app.MapGet(ChoosePath, (string? token, HttpContext http, SignedTokens tokens) => Link.Show(http, token, tokens, (valid, view) => ChooseForm(http, valid, view)));
        app.MapPost(ChoosePath, ChooseAsync);
        app.MapPut(ApiPath, ChooseAsync).ForPrograms(Describing.OwnAccount, "Choose another password").Takes([Describing.Token, Field.Password], "Or the link was used, is over, or was never valid.")
            .Answers(204, "The account has the password, and all sessions have ended.").MayTakeLonger().LimitsTries().MayBeUnavailable();
    }

    // Asking for a link

    private static async Task<IResult> AskAsync(HttpContext http, FormTokens formTokens, PasswordResetDesk desk, IOptions<PasswordResetSettings> settings)
    {
        var (texts, isForm) = (Client.Texts(http.Request), Body.IsForm(http.Request));
        var (fields, fault) = await Fields.ReadAsync(http.Request, http.RequestAborted);
        if (fault is not null) return isForm ? AskForm(http, formTokens, new(SignUpRoutes.StatusOf(fault.Value), fields, [], texts.Of(fault.Value))) : SignUpRoutes.BodyProblem(fault.Value, texts);
        if (isForm && !formTokens.AreValid(http.Request, fields)) return AskForm(http, formTokens, new(400, fields, [], texts.FormTooOld));
        var look = ChangeAnswers.Message(202, texts, texts.ResetMailComingTitle, texts.ResetMailComing((long)settings.Value.Lifetime.TotalSeconds), NextStep.SignIn);
        return await ChangeAnswers.AnswerAsync(http, fields, view => AskForm(http, formTokens, view), () => ChangeAnswers.GoOn(http, AskPath), () => desk.AskAsync(http, fields), look);
    }

    private static LocalizedPage<ForgotPasswordPage> AskForm(HttpContext http, FormTokens formTokens, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(ForgotPasswordPage.View)] = view,
        [nameof(ForgotPasswordPage.FormToken)] = formTokens.Issue(http),
    });

    // The link, and the form behind it

    private static Task<IResult> ChooseAsync(HttpContext http, SignedTokens tokens, PasswordResetDesk desk) => Link.TakeAsync(http, tokens, (token, view) => ChooseForm(http, token, view),
        _ => ChangeAnswers.GoOn(http, SignInRoutes.AfterPasswordReset), (accountId, credentials, fields) => desk.ChooseAsync(http, accountId, credentials, fields));

    private static LocalizedPage<ChoosePasswordPage> ChooseForm(HttpContext http, string token, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(ChoosePasswordPage.View)] = view,
        [nameof(ChoosePasswordPage.Token)] = token,
    });
}
