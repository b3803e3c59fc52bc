using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Hosting.Http;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;

namespace Signup.Gateway.Activation;

/// <summary>The link in the mail, the button behind it, and the mail once more.</summary>
public static class ActivationRoutes
{
    private const string Purpose = "activation", TokenField = Describing.Token;

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    /// <summary>Whether a link was used already is looked up, but not for long: the button behind it knows it, too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static void MapActivation(this IEndpointRouteBuilder app)
    {
        app.MapGet("/activate", AskAsync);
        app.MapPost("/activations", ActivateAsync).ForPrograms(Describing.SigningUp, "Activate the account", "Whatever mail programs have put around the token does not matter.")
            .Takes([Describing.Token], "Or the link is over, or was never valid.").Answers<Activated>(200, "The account is active, also when asked again.").Answers<Activated>(202, "Not decided yet.").MayBeUnavailable();
        app.MapPost("/users/{id}/activation-mail", ResendAsync).ForPrograms(Describing.SigningUp, "Send the activation mail again").ForWhoSignedUp()
            .Answers<AccountView>(200, "The account needs none.").Answers<AccountId>(202, "It is on its way.").Refuses(400, "Another site's page has asked for it.")
            .Refuses(429, "Too soon after the last one, or too many.").MayBeUnavailable();
    }

    /// <summary>Changes nothing: mail scanners open links. A person presses the button.</summary>
    private static async Task<IResult> AskAsync(string? token, HttpContext http, SignedTokens tokens, QueryClient query)
    {
        var texts = Client.Texts(http.Request);
        var state = tokens.Read(Purpose, token, out var accountId);
        if (state != TokenState.Invalid && await IsActiveAsync(query, accountId, http.RequestAborted)) return ActivePage(texts);
        return state switch
        {
            TokenState.Valid => new LocalizedPage<ActivatePage>(200, texts, new() { [nameof(ActivatePage.Token)] = token }),
            TokenState.Expired => BadLink(texts, expired: true),
            _ => BadLink(texts, expired: false),
        };
    }

    /// <summary>Takes forms without a form token: it acts on the signed token alone, not on who the browser is, so there is nothing to forge.</summary>
    private static async Task<IResult> ActivateAsync(HttpContext http, SignedTokens tokens, AccountCommands commands, QueryClient query, TimeProvider time)
    {
        var texts = Client.Texts(http.Request);
        var page = Body.IsForm(http.Request) && (Client.WantsPage(http.Request) || http.Request.Headers.Accept.Count == 0);
        var (fields, fault) = await Fields.ReadAsync(http.Request, http.RequestAborted);
        if (fault is not null) return page ? BadLink(texts, expired: false) : SignUpRoutes.BodyProblem(fault.Value, texts);

        var state = tokens.Read(Purpose, fields[TokenField], out var accountId, out var addressChanges);
        if (state == TokenState.Valid)
        {
            try
            {
                var verdict = await commands.AskAsync<ActivationVerdict>(new ActivateAccount(accountId, time.GetUtcNow(), addressChanges), http.RequestAborted);
                switch (verdict?.Outcome)
                {
                    case ActivationOutcome.Active:
                        return Active();
                    case null:
                        return page ? Message(202, texts, texts.ActivatingTitle, texts.Activating) : Results.Json(new Activated(accountId, AccountView.Deciding), statusCode: 202);
                    case ActivationOutcome.AddressChanged:
                        return page ? Message(400, texts, texts.LinkOutdatedTitle, texts.LinkOutdated) : BadToken("token-outdated", texts.LinkOutdatedTitle, texts.LinkOutdated);
                    case ActivationOutcome.Expired:
                        state = TokenState.Expired;
                        break;
                    default:
                        state = TokenState.Invalid;
                        break;
                }
            }
            catch (BrokerUnavailableException)
            {
                Problems.SetRetryAfter(http.Response, RetryAfterOutage);
                return page ? Message(503, texts, texts.UnavailableTitle, texts.ActivationUnavailable) : Problems.Problem(503, "unavailable", texts.UnavailableTitle, texts.ActivationUnavailable);
            }
        }
        var expired = state == TokenState.Expired;
        if (expired && await IsActiveAsync(query, accountId, http.RequestAborted)) return Active();
        if (page) return BadLink(texts, expired);
        return expired ? BadToken("token-expired", texts.LinkExpiredTitle, texts.LinkExpired) : BadToken("token-invalid", texts.LinkInvalidTitle, texts.LinkInvalid);

        IResult Active() => page ? ActivePage(texts) : Results.Json(new Activated(accountId, AccountView.Active));
    }

    /// <param name="Status"><c>active</c> or <c>deciding</c>.</param>
    internal sealed record Activated(Guid Id, string Status);

    /// <summary>False where it is not known.</summary>
    private static async Task<bool> IsActiveAsync(QueryClient query, Guid accountId, CancellationToken cancellation)
    {
        try
        {
            return await query.FindAsync(accountId, cancellation).WaitAsync(Patience, cancellation) is { Status: AccountView.Active };
        }
        catch (Exception e) when (e is QueryUnavailableException or TimeoutException)
        {
            return false;
        }
    }

    private static IResult BadToken(string type, string title, string message) =>
        Problems.Problem(400, type, title, message, new Dictionary<string, string[]> { [TokenField] = [message] });

    /// <summary>Mail knows how often the mail may be asked for; whoever has an account that is not waiting for it is told how the account is.</summary>
    private static async Task<IResult> ResendAsync(
        string id, HttpContext http, StatusTokens statusTokens, FormTokens formTokens, CommandClient commands, AccountLookup accounts, AccountAnswers answers, IConfiguration settings, TimeProvider time)
    {
        var texts = Client.Texts(http.Request);
        var page = Client.WantsPage(http.Request);
        var timeout = settings.GetValue("Signup:ReplyTimeout", TimeSpan.FromSeconds(5));
        if (statusTokens.Find(http.Request, id) is not { } proof) return AccountRoutes.NotFound(http);
        if (proof.IsCookie && await IsForgedAsync(http, formTokens))
            return page ? Message(400, texts, texts.BadRequestTitle, texts.FormTooOld) : Problems.Problem(400, "form-token", texts.BadRequestTitle, texts.FormTooOld);
        try
        {
            var account = await accounts.FindAsync(proof, http.RequestAborted);
            if (account.Status == AccountView.ByMail)
            {
                await commands.SendAsync(Topology.Mail, new ResendActivationMail(proof.AccountId, time.GetUtcNow()), Guid.CreateVersion7(), timeout, http.RequestAborted);
                return await SendingAsync(texts.MailComingIfAny);
            }
            if (account.Status != AccountView.Pending) return await answers.ShowAsync(http, proof);
            if (account.Mail is { State: MailView.Queued }) return await SendingAsync(texts.MailStillComing);
            var now = time.GetUtcNow();
            var verdict = await commands.AskAsync<ResendVerdict>(Topology.Mail, new ResendActivationMail(proof.AccountId, now), Guid.CreateVersion7(), timeout, http.RequestAborted);
            switch (verdict)
            {
                case { Outcome: ResendOutcome.TooSoon, NextAt: { } next }:
                    var wait = next - now;
                    Problems.SetRetryAfter(http.Response, wait);
                    var message = texts.TooManyMails(Problems.Seconds(wait));
                    return page ? await answers.ShowAsync(http, proof, 429, message) : Problems.Problem(429, "too-many-mails", texts.TooManyTitle, message, retryAfter: wait);
                case { Outcome: ResendOutcome.NotAny }:
                    return await answers.ShowAsync(http, proof);
                default:
                    return await SendingAsync(texts.MailComing);
            }
        }
        catch (Exception e) when (e is BrokerUnavailableException or QueryUnavailableException)
        {
            Problems.SetRetryAfter(http.Response, RetryAfterOutage);
            return page ? Message(503, texts, texts.UnavailableTitle, texts.ResendUnavailable) : Problems.Problem(503, "unavailable", texts.UnavailableTitle, texts.ResendUnavailable);
        }

        async Task<IResult> SendingAsync(string notice) => page ? await answers.ShowAsync(http, proof, 202, notice) : Results.Accepted($"/users/{proof.AccountId}", new AccountId(proof.AccountId));
    }

    /// <summary>A cookie comes along whoever made the browser ask: a form has to show that it is ours, anything else that no other site sent it.</summary>
    private static async Task<bool> IsForgedAsync(HttpContext http, FormTokens formTokens)
    {
        if (http.Request.ContentLength > 0 || http.Request.ContentType is not null)
        {
            if (!Body.IsForm(http.Request)) return Client.IsFromElsewhere(http.Request);
            var (form, fault) = await Body.ReadFormAsync(http.Request, http.RequestAborted);
            return fault is not null || !formTokens.AreValid(http.Request, form);
        }
        return Client.IsFromElsewhere(http.Request);
    }

    private static LocalizedPage<MessagePage> ActivePage(Texts texts) => new(200, texts, new()
    {
        [nameof(MessagePage.Title)] = texts.ActiveTitle,
        [nameof(MessagePage.Text)] = texts.Active,
        [nameof(MessagePage.IsGood)] = true,
        [nameof(MessagePage.Next)] = NextStep.SignIn,
    });

    private static LocalizedPage<MessagePage> BadLink(Texts texts, bool expired) =>
        Message(400, texts, expired ? texts.LinkExpiredTitle : texts.LinkInvalidTitle, expired ? texts.LinkExpired : texts.LinkInvalid, NextStep.SignUpAgain);

    private static LocalizedPage<MessagePage> Message(int status, Texts texts, string title, string text, NextStep next = NextStep.Start) => new(status, texts, new()
    {
        [nameof(MessagePage.Title)] = title,
        [nameof(MessagePage.Text)] = text,
        [nameof(MessagePage.Next)] = next,
    });
}
