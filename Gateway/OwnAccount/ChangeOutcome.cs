using Signup.Gateway.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting.Http;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway.OwnAccount;

/// <summary>What became of a change that somebody has asked for.</summary>
public abstract record ChangeOutcome
{
    /// <summary>It is in the log.</summary>
    public sealed record Done : ChangeOutcome;

    /// <summary>No verdict came in time. The command is in its queue, or on its way there, and will be decided.</summary>
    public sealed record Undecided : ChangeOutcome;

    /// <summary>Some fields cannot be.</summary>
    public sealed record Invalid(params IReadOnlyList<FieldError> Errors) : ChangeOutcome;

    /// <param name="Type">Of the problem, as programs tell it from others.</param>
    /// <param name="Field">Whose fault it is; null: none's in particular.</param>
    public sealed record Refused(int Status, string Type, string Title, string Message, string? Field = null, TimeSpan? RetryAfter = null) : ChangeOutcome;

    /// <summary>The link for it does nothing any more, or never did.</summary>
    public sealed record BadLink(string Type, string Title, string Message, NextStep Next) : ChangeOutcome;

    /// <summary>Of what was proposed to Uniqueness.</summary>
    /// <param name="no">What a "no" is here; null: it is none that says anything, and may be another one soon.</param>
    public static ChangeOutcome Of(Verdict? verdict, Texts texts, Func<VerdictOutcome, ChangeOutcome?> no) => verdict switch
    {
        null => new Undecided(),
        { Outcome: VerdictOutcome.Accepted } => new Done(),
        _ => no(verdict.Outcome) ?? new Refused(503, "unavailable", texts.UnavailableTitle, texts.ChangeUnavailable, RetryAfter: TimeSpan.FromSeconds(1)),
    };
}

/// <summary>A form as it is shown: at first, or once more, with what is wrong with it.</summary>
public sealed record FormView(int Status, Fields Fields, Dictionary<string, string> Errors, string? Message)
{
    public static readonly FormView First = new(200, Fields.None, [], null);
}

/// <summary>How a change is answered: whoever has sent a form goes on to a page, a program is told.</summary>
public static class ChangeAnswers
{
    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(5);

    /// <param name="form">The form once more.</param>
    /// <param name="done">See <see cref="GoOn"/>.</param>
    /// <param name="undecided">What a browser is shown as long as it is not decided; null: that it takes a little longer.</param>
    public static async Task<IResult> AnswerAsync(HttpContext http, Fields fields, Func<FormView, IResult> form, Func<IResult> done, Func<Task<ChangeOutcome>> change, IResult? undecided = null)
    {
        var (texts, isForm) = (Client.Texts(http.Request), Body.IsForm(http.Request));
        switch (await TryAsync(change, texts))
        {
            case ChangeOutcome.Done:
                return done();
            case ChangeOutcome.Undecided:
                return isForm ? undecided ?? Message(202, texts, texts.ChangingTitle, texts.Changing, NextStep.Account) : Results.StatusCode(StatusCodes.Status202Accepted);
            case ChangeOutcome.Invalid { Errors: var errors }:
                return isForm
                    ? form(new(400, fields, errors.ToDictionary(e => e.Field, texts.Of), null))
                    : Problems.Problem(400, "validation", texts.ValidationTitle, texts.ValidationDetail, errors.ToDictionary(e => e.Field, e => new[] { texts.Of(e) }));
            case ChangeOutcome.BadLink link:
                return isForm ? Message(400, texts, link.Title, link.Message, link.Next) : Problems.Problem(400, link.Type, link.Title, link.Message, new Dictionary<string, string[]> { ["token"] = [link.Message] });
            case ChangeOutcome.Refused no:
                if (no.RetryAfter is { } wait) Problems.SetRetryAfter(http.Response, wait);
                return isForm
                    ? form(new(no.Status, fields, no.Field is null ? [] : new() { [no.Field] = no.Message }, no.Field is null ? no.Message : null))
                    : Problems.Problem(no.Status, no.Type, no.Title, no.Message, no.Field is null ? null : new Dictionary<string, string[]> { [no.Field] = [no.Message] });
            default:
                throw new InvalidOperationException("There is no such outcome.");
        }
    }

    /// <summary>What was asked for is done: a browser goes on to this page.</summary>
    /// <param name="status">For a program.</param>
    public static IResult GoOn(HttpContext http, string page, int status = StatusCodes.Status204NoContent)
    {
        if (!Body.IsForm(http.Request)) return Results.StatusCode(status);
        http.Response.Headers.Location = page;
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    public static LocalizedPage<MessagePage> Message(int status, Texts texts, string title, string text, NextStep next, bool isGood = false) =>
        new(status, texts, new() { [nameof(MessagePage.Title)] = title, [nameof(MessagePage.Text)] = text, [nameof(MessagePage.Next)] = next, [nameof(MessagePage.IsGood)] = isGood });

    private static async Task<ChangeOutcome> TryAsync(Func<Task<ChangeOutcome>> change, Texts texts)
    {
        try
        {
            return await change();
        }
        catch (HashingBusyException e)
        {
            return new ChangeOutcome.Refused(503, "busy", texts.UnavailableTitle, texts.ChangeUnavailable, RetryAfter: e.RetryAfter);
        }
        catch (Exception e) when (e is BrokerUnavailableException or QueryUnavailableException or HttpRequestException)
        {
            return new ChangeOutcome.Refused(503, "unavailable", texts.UnavailableTitle, texts.ChangeUnavailable, RetryAfter: RetryAfterOutage);
        }
    }
}
