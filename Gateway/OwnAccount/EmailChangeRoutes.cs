using Microsoft.Extensions.Options;
using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
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

    private const string ApiPath = "/email-changes";

    private static readonly LinkedForm Link = new("email change", texts => texts.EmailLinkExpired, NextStep.Account);

    public static void MapEmailChange(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, (HttpContext http, OwnAccountDesk desk, IOptions<EmailChangeSettings> settings) => desk.ShowAsync(http, (account, formToken) => Form(http, account, formToken, FormView.First, settings.Value)));
        app.MapPost(Path, (HttpContext http, OwnAccountDesk desk, EmailChangeDesk changes, IOptions<EmailChangeSettings> settings) => desk.ChangeAsync(http,
            (account, formToken, view) => Form(http, account, formToken, view, settings.Value), () => ChangeAnswers.GoOn(http, OwnAccountRoutes.AfterEmail, StatusCodes.Status202Accepted),
            (signedIn, fields) => changes.AskAsync(http, signedIn, fields)))
            .ForPrograms(Describing.OwnAccount, "Ask for another address", "It is the account's once the link that goes there is confirmed; until then, or until the link is over, nobody else gets it.")
            .ForWhoIsSignedIn(", or it is not the password").Takes([Field.Email, Field.Password]).Answers(202, "A link is on its way to the new address, and a notice to the old one.")
            .Refuses(409, "Somebody has the address, or the account is not active yet.").LimitsTries().MayBeUnavailable();
        app.MapGet(ConfirmPath, (string? token, HttpContext http, SignedTokens tokens) => Link.Show(http, token, tokens, (valid, view) => Button(http, valid, view)));
        app.MapPost(ConfirmPath, ConfirmAsync);
        app.MapPost(ApiPath, ConfirmAsync).ForPrograms(Describing.OwnAccount, "Confirm another address").Takes([Describing.Token], "Or the link is over, or was never valid.")
            .Answers<AccountId>(200, "The account has the address, also when asked again.").MayTakeLonger().Refuses(409, "Somebody has got the address meanwhile.").MayBeUnavailable();
    }

    private static LocalizedPage<ChangeEmailPage> Form(HttpContext http, AccountView account, string formToken, FormView view, EmailChangeSettings settings) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(ChangeEmailPage.View)] = view,
        [nameof(ChangeEmailPage.Account)] = account,
        [nameof(ChangeEmailPage.Lifetime)] = settings.Lifetime,
        [nameof(ChangeEmailPage.FormToken)] = formToken,
    });

    private static Task<IResult> ConfirmAsync(HttpContext http, SignedTokens tokens, EmailChangeDesk desk)
    {
        var texts = Client.Texts(http.Request);
        return Link.TakeAsync(http, tokens, (token, view) => Button(http, token, view), Done, (accountId, request, _) => desk.ConfirmAsync(http, accountId, request));

        IResult Done(Guid accountId) => Body.IsForm(http.Request) ? ChangeAnswers.Message(200, texts, texts.EmailChangedTitle, texts.EmailChanged, NextStep.Account, isGood: true) : Results.Json(new AccountId(accountId));
    }

    private static LocalizedPage<ConfirmEmailPage> Button(HttpContext http, string token, FormView view) => new(view.Status, Client.Texts(http.Request), new()
    {
        [nameof(ConfirmEmailPage.View)] = view,
        [nameof(ConfirmEmailPage.Token)] = token,
    });
}
