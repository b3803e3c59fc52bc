using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;
using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.Pages;
using Signup.Gateway.Web;
using Signup.Hosting.Http;

namespace Signup.Gateway.SigningUp;

/// <summary>Someone signs up: by the form at <c>/</c>, or as JSON at <c>/users</c>.</summary>
public static class SignUpRoutes
{
    public const string IdempotencyKey = "Idempotency-Key";

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    public static void MapSigningUp(this IEndpointRouteBuilder app)
    {
        app.MapGet("/", Form);
        app.MapPost("/", PostFormAsync);
        app.MapPost("/users", PostJsonAsync).ForPrograms(Describing.SigningUp, "Sign up", "The account waits for its address to be confirmed: a mail is on its way there.")
            .Takes([Field.Username, Field.Email, Field.Password])
            .TakesHeader(IdempotencyKey, "1 to 255 visible ASCII characters. The same request with the same key is the same sign-up, for ever, with the same answer.")
            .Answers<SignUpAnswer>(201, "The account is there: `Location` is where to look after it.")
            .Answers<SignUpAnswer>(202, "Not decided yet, or told by mail alone: `Location` is where to look.")
            .Refuses(409, "Somebody has the address, or what else is unique: `type` ends with `/email-taken`, or with another field's name.")
            .Refuses(422, "Another request had this `Idempotency-Key`.")
            .LimitsTries().MayBeUnavailable();
    }

    private static LocalizedPage<SignUpPage> Form(HttpContext http, FormTokens formTokens) => FormPage(http, formTokens, 200, SignUpFields.Empty, []);

    private static async Task<IResult> PostFormAsync(HttpContext http, ClientLimit limit, FormTokens formTokens, StatusTokens statusTokens, SignUpDesk desk)
    {
        var texts = Client.Texts(http.Request);
        var (form, fault) = await Body.ReadFormAsync(http.Request, http.RequestAborted);
        var fields = SignUpFields.Of(form);
        if (limit.Refuse(http.Connection.RemoteIpAddress) is { } wait)
        {
            Problems.SetRetryAfter(http.Response, wait);
            return FormPage(http, formTokens, 429, fields, [], texts.TooManySignUps(Problems.Seconds(wait)));
        }
        if (fault is not null)
            return FormPage(http, formTokens, StatusOf(fault.Value), fields, [], texts.Of(fault.Value));
        if (!formTokens.AreValid(http.Request, form))
            return FormPage(http, formTokens, 400, fields, [], texts.FormTooOld);

        var (valid, errors) = SignUpValidation.Check(fields);
        if (valid is null) return FormPage(http, formTokens, 400, fields, errors);

        // Sent twice, by a double click or a reload, it is one sign-up. Each page has a new key, so a corrected form is another sign-up.
        var key = form.TryGetValue(SignUpPage.KeyField, out var given) && given.Count == 1 && given[0]!.Length is > 0 and <= 64 ? "form/" + given[0] : null;
        var outcome = await desk.SignUpAsync(key, valid, texts.Language, once: false, http.RequestAborted);
        switch (outcome)
        {
            case SignUpOutcome.Kept kept:
                statusTokens.SetCookie(http, kept.AccountId, kept.SignUpId);
                http.Response.Headers.Location = $"/users/{kept.AccountId}";
                return Results.StatusCode(StatusCodes.Status303SeeOther);
            case SignUpOutcome.Taken { What: "email" }:
                return FormPage(http, formTokens, 409, fields, [], fieldMessages: new() { [Field.Email] = texts.EmailTaken });
            case SignUpOutcome.Taken taken:
                return FormPage(http, formTokens, 409, fields, [], texts.OtherTaken(taken.What), Field.All.Contains(taken.What) ? new() { [taken.What] = texts.OtherTaken(taken.What) } : null);
            case SignUpOutcome.KeyReused:
                return FormPage(http, formTokens, 409, fields, [], texts.FormUsed);
            case SignUpOutcome.Busy busy:
                Problems.SetRetryAfter(http.Response, busy.RetryAfter);
                return FormPage(http, formTokens, 503, fields, [], texts.Busy(Problems.Seconds(busy.RetryAfter)));
            case SignUpOutcome.Unavailable:
                Problems.SetRetryAfter(http.Response, RetryAfterOutage);
                return FormPage(http, formTokens, 503, fields, [], texts.Unavailable);
            default:
                return FormPage(http, formTokens, 400, fields, [], texts.Refused);
        }
    }

    private static async Task<IResult> PostJsonAsync(HttpContext http, ClientLimit limit, StatusTokens statusTokens, SignUpDesk desk)
    {
        var texts = Client.Texts(http.Request);
        if (limit.Refuse(http.Connection.RemoteIpAddress) is { } wait)
            return Problems.Problem(429, "too-many-sign-ups", texts.TooManyTitle, texts.TooManySignUps(Problems.Seconds(wait)), retryAfter: wait);

        var (json, fault) = await Body.ReadJsonAsync(http.Request, http.RequestAborted);
        if (fault is not null) return BodyProblem(fault.Value, texts);
        if (!TryReadKey(http.Request.Headers[IdempotencyKey], out var key))
            return Problems.Problem(400, "invalid-idempotency-key", texts.BadRequestTitle, texts.BadIdempotencyKey,
                new Dictionary<string, string[]> { [IdempotencyKey] = [texts.BadIdempotencyKey] });

        var (valid, errors) = SignUpValidation.Check(SignUpFields.Of(json));
        if (valid is null)
            return Problems.Problem(400, "validation", texts.ValidationTitle, texts.ValidationDetail, errors.ToDictionary(e => e.Field, e => new[] { texts.Of(e) }));

        var outcome = await desk.SignUpAsync(key is null ? null : "api/" + key, valid, texts.Language, once: key is not null, http.RequestAborted);
        switch (outcome)
        {
            case SignUpOutcome.Created created:
                return Results.Created($"/users/{created.AccountId}", Answer(created, AccountView.Pending));
            case SignUpOutcome.Undecided undecided:
                Problems.SetRetryAfter(http.Response, TimeSpan.FromSeconds(1));
                return Results.Accepted($"/users/{undecided.AccountId}", Answer(undecided, AccountView.Deciding));
            case SignUpOutcome.ByMail byMail:
                return Results.Accepted($"/users/{byMail.AccountId}", Answer(byMail, AccountView.ByMail));
            case SignUpOutcome.Taken taken:
                var message = taken.What == "email" ? texts.EmailTaken : texts.OtherTaken(taken.What);
                return Problems.Problem(409, taken.What + "-taken", texts.TakenTitle, message, new Dictionary<string, string[]> { [taken.What] = [message] });
            case SignUpOutcome.KeyReused:
                return Problems.Problem(422, "idempotency-key-reused", texts.KeyReusedTitle, texts.KeyReused);
            case SignUpOutcome.Busy busy:
                return Problems.Problem(503, "busy", texts.UnavailableTitle, texts.Busy(Problems.Seconds(busy.RetryAfter)), retryAfter: busy.RetryAfter);
            case SignUpOutcome.Unavailable:
                return Problems.Problem(503, "unavailable", texts.UnavailableTitle, texts.Unavailable, retryAfter: RetryAfterOutage);
            default:
                return Problems.Problem(400, "refused", texts.ValidationTitle, texts.Refused);
        }

        SignUpAnswer Answer(SignUpOutcome.Kept kept, string status)
        {
            statusTokens.SetCookie(http, kept.AccountId, kept.SignUpId);
            return new SignUpAnswer(kept.AccountId, valid.Username, valid.Email, status, statusTokens.Issue(kept.AccountId, kept.SignUpId));
        }
    }

    public static IResult BodyProblem(BodyFault fault, Texts texts) => fault switch
    {
        BodyFault.TooLarge => Problems.Problem(413, "too-large", texts.TooLargeTitle, texts.Of(fault)),
        BodyFault.WrongType or BodyFault.Encoded => Problems.Problem(415, "unsupported-media-type", texts.MediaTypeTitle, texts.Of(fault)),
        BodyFault.NotUtf8 => Problems.Problem(400, "not-utf8", texts.BadRequestTitle, texts.Of(fault)),
        _ => Problems.Problem(400, "invalid-json", texts.BadRequestTitle, texts.Of(fault), new Dictionary<string, string[]> { [""] = [texts.Of(fault)] }),
    };

    public static int StatusOf(BodyFault fault) => fault switch { BodyFault.TooLarge => 413, BodyFault.WrongType or BodyFault.Encoded => 415, _ => 400 };

    /// <summary>Absent, or 1 to 255 visible ASCII characters.</summary>
    public static bool TryReadKey(StringValues header, out string? key)
    {
        key = null;
        if (header.Count == 0) return true;
        if (header.Count > 1 || header[0] is not { Length: > 0 and <= 255 } value || !value.All(c => c is > ' ' and < '\x7f')) return false;
        key = value;
        return true;
    }

    private static LocalizedPage<SignUpPage> FormPage(
        HttpContext http, FormTokens formTokens, int status, SignUpFields fields, IReadOnlyList<FieldError> errors, string? message = null, Dictionary<string, string>? fieldMessages = null)
    {
        var texts = Client.Texts(http.Request);
        var messages = fieldMessages ?? errors.ToDictionary(e => e.Field, texts.Of);
        return new LocalizedPage<SignUpPage>(status, texts, new()
        {
            [nameof(SignUpPage.Username)] = fields.Username,
            [nameof(SignUpPage.Email)] = fields.Email,
            [nameof(SignUpPage.Errors)] = messages,
            [nameof(SignUpPage.Message)] = message,
            [nameof(SignUpPage.FormToken)] = formTokens.Issue(http),
            [nameof(SignUpPage.Key)] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
        });
    }

    /// <param name="StatusToken">Whoever sends it as a bearer token may see the account's status.</param>
    internal sealed record SignUpAnswer(Guid Id, string Username, string Email, string Status, string StatusToken);
}
