using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.OpenId;
using Signup.Gateway.OwnAccount;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting.Http;

namespace Signup.Gateway.SigningIn;

/// <summary>Someone signs in: by the form at <c>/sign-in</c>, or as JSON at <c>/sessions</c>.</summary>
public static class SignInRoutes
{
    public const string Path = "/sign-in";

    /// <summary>In the page's address: that somebody has just signed out, <see cref="Here"/> or <see cref="Everywhere"/>.</summary>
    public const string SignedOut = "signed-out", Here = "here", Everywhere = "everywhere";

    /// <summary>Where one goes on to who has chosen another password.</summary>
    public const string AfterPasswordReset = $"{Path}?{PasswordReset}=done";

    private const string PasswordReset = "password-reset";

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    public static void MapSigningIn(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path, Form);
        app.MapPost(Path, PostFormAsync);
        app.MapPost("/sessions", PostJsonAsync).ForPrograms(Describing.SigningIn, "Sign in").Takes([Field.Email, Field.Password])
            .Answers<SignedInAnswer>(200, "Signed in.").Refuses(401, "Address or password are wrong: whichever it is, the answer is the same.").Refuses(429, "Too many failures, here or at this account.").MayBeUnavailable();
    }

    private static LocalizedPage<SignInPage> Form(HttpContext http, FormTokens formTokens, OpenIdClients clients) =>
        FormPage(http, formTokens, 200, Fields.None, AuthorizationRequest.Read(http.Request.Query[AuthorizationRequest.Field], clients), []);

    private static async Task<IResult> PostFormAsync(HttpContext http, FormTokens formTokens, OpenIdClients clients, TakenAddresses taken, SignInDesk desk, Sessions sessions, KnownDevices devices)
    {
        var texts = Client.Texts(http.Request);
        var (form, fault) = await Body.ReadFormAsync(http.Request, http.RequestAborted);
        var fields = Fields.Of(form);
        var goOn = AuthorizationRequest.Read(fields[AuthorizationRequest.Field], clients);
        if (fault is not null) return Again(SignUpRoutes.StatusOf(fault.Value), [], texts.Of(fault.Value));
        if (!formTokens.AreValid(http.Request, form)) return Again(400, [], texts.FormTooOld);
        var (valid, errors) = Check(fields);
        if (valid is null) return Again(400, errors);

        switch (await desk.SignInAsync(valid.Email, valid.Password, http.Connection.RemoteIpAddress, devices.Read(http.Request), http.RequestAborted))
        {
            case SignInOutcome.Opened { Account: var account }:
                Open(http, account, sessions, devices);
                http.Response.Headers.Location = goOn?.AuthorizePath ?? OwnAccountRoutes.Path;
                return Results.StatusCode(StatusCodes.Status303SeeOther);
            case SignInOutcome.Wrong:
                return Again(401, [], WrongText(texts, taken));
            case SignInOutcome.TooMany { RetryAfter: var wait }:
                Problems.SetRetryAfter(http.Response, wait);
                return Again(429, [], texts.TooManySignIns(Problems.Seconds(wait)));
            case SignInOutcome.Busy { RetryAfter: var wait }:
                Problems.SetRetryAfter(http.Response, wait);
                return Again(503, [], texts.SignInUnavailable);
            default:
                Problems.SetRetryAfter(http.Response, RetryAfterOutage);
                return Again(503, [], texts.SignInUnavailable);
        }

        LocalizedPage<SignInPage> Again(int status, IReadOnlyList<FieldError> errors, string? message = null) => FormPage(http, formTokens, status, fields, goOn, errors, message);
    }

    private static async Task<IResult> PostJsonAsync(HttpContext http, TakenAddresses taken, SignInDesk desk, Sessions sessions, KnownDevices devices)
    {
        var texts = Client.Texts(http.Request);
        var (json, fault) = await Body.ReadJsonAsync(http.Request, http.RequestAborted);
        if (fault is not null) return SignUpRoutes.BodyProblem(fault.Value, texts);
        var (valid, errors) = Check(Fields.Of(json));
        if (valid is null) return Problems.Problem(400, "validation", texts.ValidationTitle, texts.ValidationDetail, errors.ToDictionary(e => e.Field, e => new[] { texts.Of(e) }));

        switch (await desk.SignInAsync(valid.Email, valid.Password, http.Connection.RemoteIpAddress, devices.Read(http.Request), http.RequestAborted))
        {
            case SignInOutcome.Opened { Account: var account }:
                var (session, expiresAt) = Open(http, account, sessions, devices);
                return Results.Json(new SignedInAnswer(session.Token, expiresAt, account.View));
            case SignInOutcome.Wrong:
                http.Response.Headers.WWWAuthenticate = "Bearer";
                return Problems.Problem(401, "sign-in-wrong", texts.SignInWrongTitle, WrongText(texts, taken));
            case SignInOutcome.TooMany { RetryAfter: var wait }:
                return Problems.Problem(429, "too-many-sign-ins", texts.TooManyTitle, texts.TooManySignIns(Problems.Seconds(wait)), retryAfter: wait);
            case SignInOutcome.Busy { RetryAfter: var wait }:
                return Problems.Problem(503, "busy", texts.UnavailableTitle, texts.SignInUnavailable, retryAfter: wait);
            default:
                return Problems.Problem(503, "unavailable", texts.UnavailableTitle, texts.SignInUnavailable, retryAfter: RetryAfterOutage);
        }
    }

    private static (Session Session, DateTimeOffset ExpiresAt) Open(HttpContext http, SignedInAccount account, Sessions sessions, KnownDevices devices)
    {
        var opened = sessions.Begin(account.Id, account.SessionGeneration);
        sessions.SetCookie(http, opened.Session);
        devices.SetCookie(http, account.Id);
        return opened;
    }

    /// <summary>The same for everybody: also for who has typed a password that will be right once the account is active.</summary>
    private static string WrongText(Texts texts, TakenAddresses taken) => taken.AreHidden ? $"{texts.SignInWrong} {texts.ActivateFirst}" : texts.SignInWrong;

    /// <param name="Token">Whoever sends it as a bearer token is signed in.</param>
    /// <param name="ExpiresAt">Then one has to sign in again.</param>
    internal sealed record SignedInAnswer(string Token, DateTimeOffset ExpiresAt, AccountView Account);

    private sealed record Valid(string Email, string Password);

    /// <summary>What cannot be anybody's address or password.</summary>
    private static (Valid? Valid, IReadOnlyList<FieldError> Errors) Check(Fields fields)
    {
        var password = "";
        FieldError?[] errors = [fields.Check(Field.Email, SignUpValidation.CheckEmail), fields.Check(Field.Password, typed => SignUpValidation.ReadPassword(typed, out password))];
        return errors.Any(e => e is not null) ? (null, [.. errors.OfType<FieldError>()]) : (new(fields[Field.Email]!.Trim(), password), []);
    }

    private static LocalizedPage<SignInPage> FormPage(HttpContext http, FormTokens formTokens, int status, Fields fields, AuthorizationRequest? goOn, IReadOnlyList<FieldError> errors, string? message = null)
    {
        var texts = Client.Texts(http.Request);
        if (goOn is not null) SecurityHeaders.LetFormsLeadTo(http, goOn.Client.FormTargets);
        return new LocalizedPage<SignInPage>(status, texts, new()
        {
            [nameof(SignInPage.Email)] = fields[Field.Email],
            [nameof(SignInPage.Errors)] = errors.ToDictionary(e => e.Field, texts.Of),
            [nameof(SignInPage.Message)] = message,
            [nameof(SignInPage.Notice)] = status == 200 ? NoticeOf(http.Request.Query, texts) : null,
            [nameof(SignInPage.GoOn)] = goOn,
            [nameof(SignInPage.FormToken)] = formTokens.Issue(http),
        });
    }

    private static string? NoticeOf(IQueryCollection query, Texts texts) => query[SignedOut].ToString() switch
    {
        Here => texts.SignedOutHere,
        Everywhere => texts.SignedOutEverywhere,
        _ => query.ContainsKey(PasswordReset) ? texts.PasswordReset : null,
    };
}
