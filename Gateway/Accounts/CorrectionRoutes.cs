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
        if (limit.Refuse(http.Connection.RemoteIpAddress) is { } wait)
        {
            Problems.SetRetryAfter(http.Response, wait);
            return await RefuseAsync(429, "too-many-sign-ups", texts.TooManyTitle, texts.TooManySignUps(Problems.Seconds(wait)));
        }
        var (typed, fault, isForged) = await ReadAsync(http, holder, formTokens);
        if (isForged) return await RefuseAsync(400, "form-token", texts.BadRequestTitle, texts.FormTooOld);
        if (fault is { } broken) return page ? await PageAsync(400, texts.Of(broken)) : SignUpRoutes.BodyProblem(broken, texts);
        if (SignUpValidation.CheckEmail(typed) is { } wrong) return await RefuseAsync(400, "validation", texts.ValidationTitle, texts.Of(new FieldError(Field.Email, wrong)), typed ?? "");

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
                    return await RefuseAsync(409, "email-taken", texts.TakenTitle, texts.EmailTaken, typed);
                case { Outcome: VerdictOutcome.Invalid }:
                    return await RefuseAsync(409, "not-correctable", texts.NotCorrectableTitle, texts.NotCorrectable);
            }
        }
        catch (BrokerUnavailableException)
        {
            // Said below.
        }
        Problems.SetRetryAfter(http.Response, RetryAfterOutage);
        return await RefuseAsync(503, "unavailable", texts.UnavailableTitle, texts.CorrectionUnavailable);

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

        // What is wrong with the address that was typed stands beside it, all else above.
        async Task<IResult> RefuseAsync(int status, string name, string title, string message, string? address = null) => page
            ? await (address is null ? PageAsync(status, message) : PageAsync(status, null, new(address, message)))
            : Problems.Problem(status, name, title, message, address is null ? null : new Dictionary<string, string[]> { [Field.Email] = [message] });

        Task<IResult> PageAsync(int status, string? notice, Correction? correction = null) => AccountRoutes.AnswerAsync(http, accountId, accounts, formTokens, inbox, status, notice, correction);
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
