using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.OwnAccount;
using Signup.Gateway.Pages;
using Signup.Gateway.Web;
using Signup.Hosting.Http;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;

namespace Signup.Gateway.SigningIn;

/// <summary>Someone signs out, here or everywhere: by buttons, or by <c>DELETE /sessions/current</c> and <c>DELETE /sessions</c>.</summary>
public static class SignOutRoutes
{
    public const string Path = "/sign-out";

    /// <summary>Of the form: there, all sessions are to end.</summary>
    public const string EverywhereField = "everywhere";

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    public static void MapSigningOut(this IEndpointRouteBuilder app)
    {
        app.MapPost(Path, PostFormAsync);
        app.MapDelete("/sessions/current", EndThisAsync).ForPrograms(Describing.SigningIn, "Sign out here").EndsSessions();
        app.MapDelete("/sessions", EndAllAsync).ForPrograms(Describing.SigningIn, "Sign out everywhere").EndsSessions();
    }

    private static void EndsSessions(this RouteHandlerBuilder route) =>
        route.ForWhoIsSignedIn().Answers(204, "Signed out.").MayTakeLonger().Refuses(400, "Another site's page has asked for it.").MayBeUnavailable();

    private static async Task<IResult> PostFormAsync(HttpContext http, FormTokens formTokens, Sessions sessions, AccountCommands commands, TimeProvider time)
    {
        var texts = Client.Texts(http.Request);
        var (form, fault) = await Body.ReadFormAsync(http.Request, http.RequestAborted);
        if (fault is not null || !formTokens.AreValid(http.Request, form)) return Message(400, texts, texts.BadRequestTitle, texts.FormTooOld);
        var everywhere = form.ContainsKey(EverywhereField);
        if (sessions.Read(http.Request) is not { } session) return Done(everywhere: false);
        try
        {
            if (everywhere && await sessions.FindAsync(http.Request, http.RequestAborted) is null) return Done(everywhere: false);
            var isDone = await EndAsync(session, everywhere, commands, time, http.RequestAborted);
            if (isDone) return Done(everywhere);
            // It is in its queue; this browser need not wait for it.
            Sessions.DeleteCookie(http);
            return everywhere ? Message(202, texts, texts.SigningOutTitle, texts.SigningOut) : Done(everywhere);
        }
        catch (Exception e) when (e is BrokerUnavailableException or QueryUnavailableException)
        {
            Problems.SetRetryAfter(http.Response, RetryAfterOutage);
            // Whoever leaves this browser leaves it signed out; the rest can be asked for again only by who is still signed in.
            if (!everywhere) Sessions.DeleteCookie(http);
            return Message(503, texts, texts.UnavailableTitle, everywhere ? texts.SignOutEverywhereUnavailable : texts.SignOutUnavailable);
        }

        IResult Done(bool everywhere)
        {
            Sessions.DeleteCookie(http);
            http.Response.Headers.Location = $"{SignInRoutes.Path}?{SignInRoutes.SignedOut}={(everywhere ? SignInRoutes.Everywhere : SignInRoutes.Here)}";
            return Results.StatusCode(StatusCodes.Status303SeeOther);
        }
    }

    /// <summary>Once more does no harm: it has ended.</summary>
    private static Task<IResult> EndThisAsync(HttpContext http, Sessions sessions, AccountCommands commands, TimeProvider time) =>
        EndAsync(http, () => Task.FromResult(sessions.Read(http.Request)), everywhere: false, commands, time);

    private static Task<IResult> EndAllAsync(HttpContext http, Sessions sessions, AccountCommands commands, TimeProvider time) =>
        EndAsync(http, async () => (await sessions.FindAsync(http.Request, http.RequestAborted))?.Session, everywhere: true, commands, time);

    private static async Task<IResult> EndAsync(HttpContext http, Func<Task<Session?>> find, bool everywhere, AccountCommands commands, TimeProvider time)
    {
        var texts = Client.Texts(http.Request);
        try
        {
            if (await find() is not { } session) return OwnAccountDesk.NotSignedIn(http);
            if (session.IsCookie && Client.IsFromElsewhere(http.Request)) return Problems.Problem(400, "form-token", texts.BadRequestTitle, texts.FormTooOld);
            var isDone = await EndAsync(session, everywhere, commands, time, http.RequestAborted);
            if (session.IsCookie) Sessions.DeleteCookie(http);
            return isDone ? Results.NoContent() : Results.StatusCode(StatusCodes.Status202Accepted);
        }
        catch (Exception e) when (e is BrokerUnavailableException or QueryUnavailableException)
        {
            return Problems.Problem(503, "unavailable", texts.UnavailableTitle, everywhere ? texts.SignOutEverywhereUnavailable : texts.SignOutUnavailable, retryAfter: RetryAfterOutage);
        }
    }

    /// <returns>False: the command is in its queue, or on its way there.</returns>
    /// <exception cref="BrokerUnavailableException">Nothing will come of it.</exception>
    private static async Task<bool> EndAsync(Session session, bool everywhere, AccountCommands commands, TimeProvider time, CancellationToken cancellation)
    {
        object command = everywhere ? new SignOutEverywhere(session.AccountId, session.Generation, time.GetUtcNow(), session.Id) : new SignOut(session.AccountId, session.Id, time.GetUtcNow());
        return await commands.AskAsync<AccountVerdict>(command, cancellation) is not null;
    }

    private static LocalizedPage<MessagePage> Message(int status, Texts texts, string title, string text) =>
        new(status, texts, new() { [nameof(MessagePage.Title)] = title, [nameof(MessagePage.Text)] = text });
}
