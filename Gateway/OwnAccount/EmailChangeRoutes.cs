using Microsoft.Extensions.Options;
using Signup.Gateway.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;

namespace Signup.Gateway.OwnAccount;

/// <summary>Settings <c>EmailChanges:…</c>.</summary>
public sealed record EmailChangeSettings
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <summary>How long a link is valid, and the address kept for the account. At most a week: it may be somebody else's.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromDays(1);
}

/// <summary>Whoever is signed in, and knows the password, wants another address: by a form, or by <c>POST</c>. It is the account's once the link that goes there was opened, and its button pressed.</summary>
public static class EmailChangeRoutes
{
    public const string Path = $"{OwnAccountRoutes.Path}/email", ConfirmPath = "/email-change";

    private const string ApiPath = "/email-changes", TokenPurpose = "email change", TokenField = "token";

    public static void MapEmailChange(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, (HttpContext http, OwnAccountDesk desk, IOptions<EmailChangeSettings> settings) => desk.ShowAsync(http, (account, formToken) => Form(http, account, formToken, FormView.First, settings.Value)));
        app.MapPost(Path, (HttpContext http, OwnAccountDesk desk, EmailChangeDesk changes, IOptions<EmailChangeSettings> settings) => desk.ChangeAsync(http,
            (account, formToken, view) => Form(http, account, formToken, view, settings.Value), () => ChangeAnswers.GoOn(http, OwnAccountRoutes.AfterEmail, StatusCodes.Status202Accepted),
            (signedIn, fields) => changes.AskAsync(http, signedIn, fields)));
        app.MapGet(ConfirmPath, ShowButton);
        app.MapPost(ConfirmPath, ConfirmAsync);
        app.MapPost(ApiPath, ConfirmAsync);
    }

    private static Page<ChangeEmailPage> Form(HttpContext http, AccountView account, string formToken, FormView view, EmailChangeSettings settings) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(ChangeEmailPage.View)] = view,
        [nameof(ChangeEmailPage.Account)] = account,
        [nameof(ChangeEmailPage.Lifetime)] = settings.Lifetime,
        [nameof(ChangeEmailPage.FormToken)] = formToken,
    });

    /// <summary>Changes nothing: mail scanners open links.</summary>
    private static IResult ShowButton(string? token, HttpContext http, SignedTokens tokens)
    {
        var state = tokens.Read(TokenPurpose, token, out _);
        if (state == TokenState.Valid) return Button(http, token, FormView.First);
        var texts = Client.Texts(http.Request);
        var bad = BadLink(texts, state);
        return ChangeAnswers.Message(400, texts, bad.Title, bad.Message, bad.Next);
    }

    /// <summary>Takes forms without a form token: it acts on the signed token alone, not on who the browser is, so there is nothing to forge.</summary>
    private static async Task<IResult> ConfirmAsync(HttpContext http, SignedTokens tokens, EmailChangeDesk desk)
    {
        var texts = Client.Texts(http.Request);
        var (fields, fault) = await Fields.ReadAsync(http.Request, http.RequestAborted);
        if (fault is not null && !Body.IsForm(http.Request)) return SignUpRoutes.BodyProblem(fault.Value, texts);
        var state = tokens.Read(TokenPurpose, fields[TokenField], out var accountId, out var request);
        return await ChangeAnswers.AnswerAsync(http, fields, view => Button(http, fields[TokenField], view), Done, () =>
            state == TokenState.Valid ? desk.ConfirmAsync(http, accountId, request) : Task.FromResult<ChangeOutcome>(BadLink(texts, state)));

        IResult Done() => Body.IsForm(http.Request) ? ChangeAnswers.Message(200, texts, texts.EmailChangedTitle, texts.EmailChanged, NextStep.Account, isGood: true) : Results.Json(new { id = accountId });
    }

    private static ChangeOutcome.BadLink BadLink(Texts texts, TokenState state) => state == TokenState.Expired
        ? new("token-expired", texts.LinkExpiredTitle, texts.EmailLinkExpired, NextStep.Account)
        : new("token-invalid", texts.LinkInvalidTitle, texts.LinkInvalid, NextStep.Account);

    private static Page<ConfirmEmailPage> Button(HttpContext http, string? token, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(ConfirmEmailPage.View)] = view,
        [nameof(ConfirmEmailPage.Token)] = token ?? "",
    });
}
