using Signup.Gateway.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting.Http;

namespace Signup.Gateway.OwnAccount;

/// <summary>Shows and changes the account of whoever is signed in.</summary>
public sealed class OwnAccountDesk(Sessions sessions, FormTokens formTokens)
{
    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    /// <param name="show">Also takes the form token of the page.</param>
    public Task<IResult> ShowAsync(HttpContext http, Func<AccountView, string, IResult> show) => ShowAsync(http, signedIn => Task.FromResult(show(signedIn.Account, formTokens.Issue(http))));

    public async Task<IResult> ShowAsync(HttpContext http, Func<SignedIn, Task<IResult>> show)
    {
        try
        {
            return await sessions.FindAsync(http.Request, http.RequestAborted) is { } signedIn ? await show(signedIn) : NotSignedIn(http);
        }
        catch (QueryUnavailableException)
        {
            return Unavailable(http);
        }
    }

    /// <summary>Takes a form, which has to be ours, or JSON, which no other site can have sent.</summary>
    /// <param name="form">The form once more, with a form token.</param>
    /// <param name="done">See <see cref="ChangeAnswers.GoOn"/>.</param>
    public async Task<IResult> ChangeAsync(HttpContext http, Func<AccountView, string, FormView, IResult> form, Func<IResult> done, Func<SignedIn, Fields, Task<ChangeOutcome>> change)
    {
        var texts = Client.Texts(http.Request);
        SignedIn? signedIn;
        try
        {
            signedIn = await sessions.FindAsync(http.Request, http.RequestAborted);
        }
        catch (QueryUnavailableException)
        {
            return Unavailable(http);
        }
        if (signedIn is null) return NotSignedIn(http);
        var (fields, fault) = await Fields.ReadAsync(http.Request, http.RequestAborted);
        if (fault is not null && !Body.IsForm(http.Request)) return SignUpRoutes.BodyProblem(fault.Value, texts);
        return await ChangeAnswers.AnswerAsync(http, fields, view => form(signedIn.Account, formTokens.Issue(http), view), done, () =>
            fault is not null ? Task.FromResult<ChangeOutcome>(new ChangeOutcome.Refused(SignUpRoutes.StatusOf(fault.Value), "body", texts.BadRequestTitle, texts.Of(fault.Value)))
            : !IsOurs(http.Request, signedIn.Session, fields) ? Task.FromResult<ChangeOutcome>(new ChangeOutcome.Refused(400, "form-token", texts.BadRequestTitle, texts.FormTooOld))
            : change(signedIn, fields));
    }

    /// <summary>A person is taken to where one signs in, a program is told.</summary>
    public static IResult NotSignedIn(HttpContext http)
    {
        if (Client.WantsPage(http.Request))
        {
            http.Response.Headers.Location = SignInRoutes.Path;
            return Results.StatusCode(StatusCodes.Status303SeeOther);
        }
        var texts = Client.Texts(http.Request);
        http.Response.Headers.WWWAuthenticate = "Bearer";
        return Problems.Problem(401, "not-signed-in", texts.NotSignedInTitle, texts.NotSignedIn);
    }

    private static IResult Unavailable(HttpContext http)
    {
        var texts = Client.Texts(http.Request);
        Problems.SetRetryAfter(http.Response, RetryAfterOutage);
        return Client.WantsPage(http.Request)
            ? ChangeAnswers.Message(503, texts, texts.StatusUnavailableTitle, texts.StatusUnavailable, NextStep.Account)
            : Problems.Problem(503, "unavailable", texts.StatusUnavailableTitle, texts.StatusUnavailable);
    }

    /// <summary>A browser sends a cookie by itself, whoever made it ask.</summary>
    private bool IsOurs(HttpRequest request, Session session, Fields fields) =>
        !session.IsCookie || (Body.IsForm(request) ? formTokens.AreValid(request, fields) : !Client.IsFromElsewhere(request));
}
