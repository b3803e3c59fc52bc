using Signup.Gateway.Api;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;

namespace Signup.Gateway.OwnAccount;

/// <summary>A form behind a link in a mail, whose signed token says for whom it is, and what it is about. Sent as JSON it is the same.</summary>
/// <param name="expired">What to do where the link is over.</param>
/// <param name="next">Where that leads.</param>
public sealed class LinkedForm(string tokenPurpose, Func<Texts, string> expired, NextStep next)
{
    private const string TokenField = Describing.Token;

    /// <summary>Changes nothing: mail scanners open links.</summary>
    public IResult Show(HttpContext http, string? token, SignedTokens tokens, Func<string, FormView, IResult> form)
    {
        var state = tokens.Read(tokenPurpose, token, out _);
        if (state == TokenState.Valid) return form(token!, FormView.First);
        var texts = Client.Texts(http.Request);
        var bad = BadLink(texts, state);
        return ChangeAnswers.Message(400, texts, bad.Title, bad.Message, bad.Next);
    }

    /// <summary>Takes forms without a form token: it acts on the signed token alone, not on who the browser is, so there is nothing to forge.</summary>
    /// <param name="form">The form once more.</param>
    /// <param name="done">For which account: see <see cref="ChangeAnswers.AnswerAsync"/>.</param>
    /// <param name="change">Of this account, by a token of this generation.</param>
    public async Task<IResult> TakeAsync(HttpContext http, SignedTokens tokens, Func<string, FormView, IResult> form, Func<Guid, IResult> done, Func<Guid, int, Fields, Task<ChangeOutcome>> change)
    {
        var texts = Client.Texts(http.Request);
        var (fields, fault) = await Fields.ReadAsync(http.Request, http.RequestAborted);
        if (fault is not null && !Body.IsForm(http.Request)) return SignUpRoutes.BodyProblem(fault.Value, texts);
        var state = tokens.Read(tokenPurpose, fields[TokenField], out var accountId, out var generation);
        return await ChangeAnswers.AnswerAsync(http, fields, view => form(fields[TokenField] ?? "", view), () => done(accountId), () =>
            state == TokenState.Valid ? change(accountId, generation, fields) : Task.FromResult<ChangeOutcome>(BadLink(texts, state)));
    }

    private ChangeOutcome.BadLink BadLink(Texts texts, TokenState state) => state == TokenState.Expired
        ? new("token-expired", texts.LinkExpiredTitle, expired(texts), next)
        : new("token-invalid", texts.LinkInvalidTitle, texts.LinkInvalid, next);
}
