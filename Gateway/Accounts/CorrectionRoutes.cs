using Signup.Gateway.Inbox;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.Accounts;

/// <summary>Whoever signed up with an address that our mail did not reach corrects it: everything else that they typed stays.</summary>
public static class CorrectionRoutes
{
    /// <summary>Something else happened to the account in the same moment, such as its mail being sent: it is asked again.</summary>
    private const int Tries = 4;

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    public static void MapCorrections(this IEndpointRouteBuilder app) => app.MapPost("/users/{id}/email", CorrectAsync);

    private static async Task<IResult> CorrectAsync(
        string id, HttpContext http, StatusTokens statusTokens, FormTokens formTokens, SignUpLimit limit, CommandClient commands,
        AccountLookup accounts, DevInbox inbox, IConfiguration settings, TimeProvider time)
    {
        var texts = Client.Texts(http.Request);
        var page = Client.WantsPage(http.Request);
        if (!Guid.TryParseExact(id, "D", out var accountId) || statusTokens.Find(http.Request, accountId) is var holder && holder == Holder.Nobody) return AccountRoutes.NotFound(http);
        string? typed = null;
        if (limit.Refuse(http.Connection.RemoteIpAddress) is { } wait)
        {
            Problems.SetRetryAfter(http.Response, wait);
            var message = texts.TooManySignUps(Problems.Seconds(wait));
            return page ? await PageAsync(429, message) : Problems.Problem(429, "too-many-sign-ups", texts.TooManyTitle, message, retryAfter: wait);
        }

        (typed, var fault, var isForged) = await ReadAsync(http, holder, formTokens);
        if (isForged) return page ? await PageAsync(400, texts.FormTooOld) : Problems.Problem(400, "form-token", texts.BadRequestTitle, texts.FormTooOld);
        if (fault is { } broken) return page ? await PageAsync(400, texts.Of(broken)) : SignUpRoutes.BodyProblem(broken, texts);
        if (SignUpValidation.CheckEmail(typed) is { } wrong)
        {
            var message = texts.Of(new FieldError(Field.Email, wrong));
            return page ? await PageAsync(400, error: message) : Problems.Problem(400, "validation", texts.ValidationTitle, texts.ValidationDetail, Errors(message));
        }

        var email = typed!.Trim();
        try
        {
            switch (await AskAsync())
            {
                case { Outcome: VerdictOutcome.Accepted }:
                    if (!page) return Results.Json(new { id = accountId, email, status = AccountView.Pending });
                    http.Response.Headers.Location = $"/users/{accountId}";
                    return Results.StatusCode(StatusCodes.Status303SeeOther);
                case null:
                    return page ? await PageAsync(202, texts.Correcting) : Results.Accepted($"/users/{accountId}", new { id = accountId });
                case { Outcome: VerdictOutcome.NotUnique }:
                    return page ? await PageAsync(409, error: texts.EmailTaken) : Problems.Problem(409, "email-taken", texts.TakenTitle, texts.EmailTaken, Errors(texts.EmailTaken));
                case { Outcome: VerdictOutcome.Invalid }:
                    return page ? await PageAsync(409, texts.NotCorrectable) : Problems.Problem(409, "not-correctable", texts.NotCorrectableTitle, texts.NotCorrectable);
            }
        }
        catch (BrokerUnavailableException)
        {
            // Said below.
        }
        Problems.SetRetryAfter(http.Response, RetryAfterOutage);
        return page ? await PageAsync(503, texts.CorrectionUnavailable) : Problems.Problem(503, "unavailable", texts.UnavailableTitle, texts.CorrectionUnavailable);

        async Task<Verdict?> AskAsync()
        {
            var timeout = settings.GetValue("Signup:ReplyTimeout", TimeSpan.FromSeconds(5));
            var command = new CorrectEmail(accountId, email, time.GetUtcNow());
            for (var n = 1; ; n++)
            {
                var verdict = await commands.AskAsync<Verdict>(Topology.Accounts, command, Guid.CreateVersion7(), timeout, http.RequestAborted);
                if (verdict?.Outcome != VerdictOutcome.VersionConflict || n == Tries) return verdict;
            }
        }

        Task<IResult> PageAsync(int status, string? notice = null, string? error = null) =>
            AccountRoutes.AnswerAsync(http, accountId, accounts, formTokens, inbox, status, notice, new(typed, error));

        static Dictionary<string, string[]> Errors(string message) => new() { [Field.Email] = [message] };
    }

    private static async Task<(string? Email, BodyFault? Fault, bool IsForged)> ReadAsync(HttpContext http, Holder holder, FormTokens formTokens)
    {
        if (Body.IsForm(http.Request))
        {
            var (form, formFault) = await Body.ReadFormAsync(http.Request, http.RequestAborted);
            return (SignUpFields.Of(form).Email, formFault, formFault is null && holder == Holder.Cookie && !formTokens.AreValid(http.Request, form));
        }
        if (holder == Holder.Cookie && Client.IsFromElsewhere(http.Request)) return (null, null, true);
        var (json, fault) = await Body.ReadJsonAsync(http.Request, http.RequestAborted);
        return (fault is null ? SignUpFields.Of(json).Email : null, fault, false);
    }
}
