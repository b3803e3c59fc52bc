using Microsoft.Extensions.Options;
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

    private const string ApiPath = "/password-resets", TokenPurpose = "password reset", TokenField = "token";

    public static void MapPasswordReset(this IEndpointRouteBuilder app)
    {
        app.MapGet(AskPath, (HttpContext http, FormTokens formTokens) => AskForm(http, formTokens, FormView.First));
        app.MapPost(AskPath, AskAsync);
        app.MapPost(ApiPath, AskAsync);
        app.MapGet(ChoosePath, ShowChoice);
        app.MapPost(ChoosePath, ChooseAsync);
        app.MapPut(ApiPath, ChooseAsync);
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

    private static Page<ForgotPasswordPage> AskForm(HttpContext http, FormTokens formTokens, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(ForgotPasswordPage.View)] = view,
        [nameof(ForgotPasswordPage.FormToken)] = formTokens.Issue(http),
    });

    // The link, and the form behind it

    /// <summary>Changes nothing: mail scanners open links.</summary>
    private static IResult ShowChoice(string? token, HttpContext http, SignedTokens tokens)
    {
        var state = tokens.Read(TokenPurpose, token, out _);
        if (state == TokenState.Valid) return ChooseForm(http, token, FormView.First);
        var texts = Client.Texts(http.Request);
        var bad = BadLink(texts, state);
        return ChangeAnswers.Message(400, texts, bad.Title, bad.Message, bad.Next);
    }

    /// <summary>Takes forms without a form token: it acts on the signed token alone, not on who the browser is, so there is nothing to forge.</summary>
    private static async Task<IResult> ChooseAsync(HttpContext http, SignedTokens tokens, PasswordResetDesk desk)
    {
        var texts = Client.Texts(http.Request);
        var (fields, fault) = await Fields.ReadAsync(http.Request, http.RequestAborted);
        if (fault is not null && !Body.IsForm(http.Request)) return SignUpRoutes.BodyProblem(fault.Value, texts);
        return await ChangeAnswers.AnswerAsync(http, fields, view => ChooseForm(http, fields[TokenField], view), () => ChangeAnswers.GoOn(http, SignInRoutes.AfterPasswordReset), async () =>
        {
            var state = tokens.Read(TokenPurpose, fields[TokenField], out var accountId, out var credentials);
            return state == TokenState.Valid ? await desk.ChooseAsync(http, accountId, credentials, fields) : BadLink(texts, state);
        });
    }

    private static ChangeOutcome.BadLink BadLink(Texts texts, TokenState state) => state == TokenState.Expired
        ? new("token-expired", texts.LinkExpiredTitle, texts.ResetLinkExpired, NextStep.NewLink)
        : new("token-invalid", texts.LinkInvalidTitle, texts.LinkInvalid, NextStep.NewLink);

    private static Page<ChoosePasswordPage> ChooseForm(HttpContext http, string? token, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(ChoosePasswordPage.View)] = view,
        [nameof(ChoosePasswordPage.Token)] = token ?? "",
    });
}
