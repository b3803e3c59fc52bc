using System.Security.Claims;
using Microsoft.AspNetCore;
using OpenIddict.Abstractions;
using Signup.Gateway.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningIn;
using Signup.Gateway.Web;
using Signup.Hosting.Http;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Signup.Gateway.OpenId;

/// <summary>An application sends somebody here, to learn whose account it is: they sign in, say yes, and are sent back with a code.</summary>
public static class AuthorizeRoutes
{
    public const string Path = $"{OpenIdServices.Root}/authorize";

    /// <summary>Of the form: whether the application may.</summary>
    public const string Answer = "answer", Yes = "yes", No = "no";

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    public static void MapAuthorize(this IEndpointRouteBuilder app) => app.MapMethods(Path, [HttpMethods.Get, HttpMethods.Post], AuthorizeAsync);

    private static async Task<IResult> AuthorizeAsync(HttpContext http, OpenIdClients clients, Sessions sessions, FormTokens formTokens, TimeProvider time)
    {
        var texts = Client.Texts(http.Request);
        if (http.GetOpenIddictServerResponse() is { Error: { } error } fault) return Faulty(http, error, fault.ErrorDescription);
        var request = http.GetOpenIddictServerRequest()!;
        var client = clients.Find(request.ClientId)!;
        var form = HttpMethods.IsPost(http.Request.Method) ? http.Request.Form.ToDictionary(f => f.Key, f => f.Value) : [];
        // An application may send a form, with which a browser sends no cookie.
        if (HttpMethods.IsPost(http.Request.Method) && !form.ContainsKey(Answer)) return SeeOther(http, Path + AuthorizationRequest.QueryOf(request));

        var mayAsk = !request.HasPromptValue(PromptValues.None);
        SignedIn? signedIn;
        try
        {
            signedIn = await sessions.FindAsync(http.Request, http.RequestAborted);
        }
        catch (QueryUnavailableException)
        {
            if (!mayAsk) return OpenIdAnswers.Refuse(Errors.TemporarilyUnavailable);
            Problems.SetRetryAfter(http.Response, RetryAfterOutage);
            return Message(503, texts, texts.StatusUnavailableTitle, texts.SignInUnavailable);
        }
        if (signedIn is null || !await IsWantedAsync(http, request, signedIn, time))
            return mayAsk ? SeeOther(http, AuthorizationRequest.AfterSignIn(client, request).SignInPath) : OpenIdAnswers.Refuse(Errors.LoginRequired);
        if (signedIn.Account.Status != AccountView.Active)
            return mayAsk ? Message(403, texts, texts.NotActiveTitle, texts.NotActive) : OpenIdAnswers.Refuse(Errors.InteractionRequired);

        if (form.TryGetValue(Answer, out var answer))
        {
            if (!formTokens.AreValid(http.Request, form)) return Ask(400, texts.FormTooOld);
            return answer == Yes ? LetIn(signedIn, request) : OpenIdAnswers.Refuse(Errors.AccessDenied);
        }
        if (client.Consent == Consent.Implicit && !request.HasPromptValue(PromptValues.Consent)) return LetIn(signedIn, request);
        return mayAsk ? Ask(200) : OpenIdAnswers.Refuse(Errors.ConsentRequired);

        LocalizedPage<LetInPage> Ask(int status, string? message = null)
        {
            // A browser follows no answer to a form to where the page does not say that it leads.
            SecurityHeaders.LetFormsLeadTo(http, client.FormTargets);
            return new(status, texts, new()
            {
                [nameof(LetInPage.Client)] = client,
                [nameof(LetInPage.Account)] = signedIn.Account,
                [nameof(LetInPage.Scopes)] = request.GetScopes(),
                [nameof(LetInPage.Parameters)] = request.GetParameters().Where(p => p.Key is not (Answer or FormTokens.Field)).Select(p => KeyValuePair.Create(p.Key, (string?)p.Value)).ToList(),
                [nameof(LetInPage.AnotherAccount)] = AuthorizationRequest.AfterSignIn(client, request).SignInPath,
                [nameof(LetInPage.Message)] = message,
                [nameof(LetInPage.FormToken)] = formTokens.Issue(http),
            });
        }
    }

    /// <summary>Whether who is signed in is who is wanted, and has signed in lately enough.</summary>
    private static async Task<bool> IsWantedAsync(HttpContext http, OpenIddictRequest request, SignedIn signedIn, TimeProvider time)
    {
        if (request.HasPromptValue(PromptValues.Login) || request.HasPromptValue(PromptValues.SelectAccount)) return false;
        if (request.MaxAge is { } seconds && !(time.GetUtcNow() - signedIn.Session.BeganAt <= TimeSpan.FromSeconds(Math.Clamp(seconds, 0, int.MaxValue)))) return false;
        return request.IdTokenHint is null || (await OpenIdAnswers.ReadAsync(http))?.GetClaim(Claims.Subject) == $"{signedIn.Account.Id}";
    }

    /// <summary>Sends a code, which holds what the application may be told, and which session it is of.</summary>
    private static IResult LetIn(SignedIn signedIn, OpenIddictRequest request)
    {
        var (session, account) = signedIn;
        var principal = new ClaimsPrincipal(LetInClaims.Of(account, request.GetScopes())).SetScopes(request.GetScopes().Intersect(LetInClaims.Scopes));
        var identity = (ClaimsIdentity)principal.Identity!;
        if (session.BeganAt is { } began) identity.SetClaim(Claims.AuthenticationTime, began.ToUnixTimeSeconds());
        identity.SetClaim(LetInClaims.Session, $"{session.Id}").SetClaim(LetInClaims.Generation, session.Generation).SetClaim(LetInClaims.Code, $"{Guid.CreateVersion7()}");
        identity.SetDestinations(LetInClaims.DestinationsOf);
        return OpenIdAnswers.Issue(principal);
    }

    private static IResult SeeOther(HttpContext http, string where)
    {
        http.Response.Headers.Location = where;
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>What is wrong with the request is for whoever has made the application: nobody else can mend it.</summary>
    private static IResult Faulty(HttpContext http, string error, string? description)
    {
        var texts = Client.Texts(http.Request);
        return Client.WantsPage(http.Request)
            ? Message(400, texts, texts.CannotLetInTitle, texts.CannotLetIn($"{error}: {description}"))
            : Problems.Problem(400, error, texts.CannotLetInTitle, description ?? error);
    }

    private static LocalizedPage<MessagePage> Message(int status, Texts texts, string title, string text) =>
        new(status, texts, new() { [nameof(MessagePage.Title)] = title, [nameof(MessagePage.Text)] = text, [nameof(MessagePage.Next)] = NextStep.Account });
}
