using Signup.EventLog.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting.Http;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.Accounts;

/// <summary>Whoever signed up with an address that our mail did not reach corrects it: everything else that they typed stays.</summary>
public static class CorrectionRoutes
{
    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    public static void MapCorrections(this IEndpointRouteBuilder app) => app.MapPost("/users/{id}/email", CorrectAsync)
        .ForPrograms(Describing.SigningUp, "Correct the address", "Where mails do not reach it. All else that was typed stays.").ForWhoSignedUp()
        .Takes([Field.Email]).Answers<Corrected>(200, "The account has the address, and a mail is on its way there.").Answers<AccountId>(202, "Not decided yet: `Location` is where to look.")
        .Refuses(409, "Somebody has the address, or mails do reach the first.").LimitsTries().MayBeUnavailable();

    private static async Task<IResult> CorrectAsync(
        string id, HttpContext http, StatusTokens statusTokens, FormTokens formTokens, ClientLimit limit, AccountCommands commands,
        AccountLookup accounts, AccountAnswers answers)
    {
        var texts = Client.Texts(http.Request);
        var page = Client.WantsPage(http.Request);
        if (statusTokens.Find(http.Request, id) is not { } proof) return AccountRoutes.NotFound(http);
        var accountId = proof.AccountId;
        if (limit.Refuse(http.Connection.RemoteIpAddress) is { } wait)
        {
            Problems.SetRetryAfter(http.Response, wait);
            return await RefuseAsync(429, "too-many-sign-ups", texts.TooManyTitle, texts.TooManySignUps(Problems.Seconds(wait)));
        }
        var (typed, fault, isForged) = await ReadAsync(http, proof, formTokens);
        if (isForged) return await RefuseAsync(400, "form-token", texts.BadRequestTitle, texts.FormTooOld);
        if (fault is { } broken) return page ? await PageAsync(400, texts.Of(broken)) : SignUpRoutes.BodyProblem(broken, texts);
        if (SignUpValidation.CheckEmail(typed) is { } wrong) return await RefuseAsync(400, "validation", texts.ValidationTitle, texts.Of(new FieldError(Field.Email, wrong)), typed ?? "");

        var email = typed!.Trim();
        try
        {
            // Only whoever made the account may correct its address, and not everybody who tried under its id.
            if ((await accounts.FindAsync(proof, http.RequestAborted)).Status is AccountView.ByMail or AccountView.Deciding or AccountView.Refused)
                return await RefuseAsync(409, "not-correctable", texts.NotCorrectableTitle, texts.NotCorrectable);
            var (verdict, requestedAt) = await commands.ProposeAsync(now => new CorrectEmail(accountId, email, now), http.RequestAborted);
            switch (verdict)
            {
                case { Outcome: VerdictOutcome.Accepted }:
                    if (!page) return Results.Json(new Corrected(accountId, email, AccountView.Pending));
                    http.Response.Headers.Location = $"/users/{accountId}";
                    return Results.StatusCode(StatusCodes.Status303SeeOther);
                case null:
                    var path = AccountAnswers.PathOf(accountId, ProposalId.OfCorrection(accountId, requestedAt));
                    if (!page) return Results.Accepted(path, new AccountId(accountId));
                    http.Response.Headers.Location = path;
                    return Results.StatusCode(StatusCodes.Status303SeeOther);
                case { Outcome: VerdictOutcome.NotUnique }:
                    return await RefuseAsync(409, "email-taken", texts.TakenTitle, texts.EmailTaken, typed);
                case { Outcome: VerdictOutcome.Invalid }:
                    return await RefuseAsync(409, "not-correctable", texts.NotCorrectableTitle, texts.NotCorrectable);
            }
        }
        catch (Exception e) when (e is BrokerUnavailableException or QueryUnavailableException)
        {
            // Said below.
        }
        Problems.SetRetryAfter(http.Response, RetryAfterOutage);
        return await RefuseAsync(503, "unavailable", texts.UnavailableTitle, texts.CorrectionUnavailable);

        // What is wrong with the address that was typed stands beside it, all else above.
        async Task<IResult> RefuseAsync(int status, string name, string title, string message, string? address = null) => page
            ? await (address is null ? PageAsync(status, message) : PageAsync(status, null, new(address, message)))
            : Problems.Problem(status, name, title, message, address is null ? null : new Dictionary<string, string[]> { [Field.Email] = [message] });

        Task<IResult> PageAsync(int status, string? notice, Correction? correction = null) => answers.ShowAsync(http, proof, status, notice, correction);
    }

    internal sealed record Corrected(Guid Id, string Email, string Status);

    private static async Task<(string? Email, BodyFault? Fault, bool IsForged)> ReadAsync(HttpContext http, StatusProof proof, FormTokens formTokens)
    {
        if (!Body.IsForm(http.Request) && proof.IsCookie && Client.IsFromElsewhere(http.Request)) return (null, null, true);
        var (fields, fault) = await Fields.ReadAsync(http.Request, http.RequestAborted);
        return (fields[Field.Email], fault, fault is null && Body.IsForm(http.Request) && proof.IsCookie && !formTokens.AreValid(http.Request, fields));
    }
}
