using Microsoft.AspNetCore.WebUtilities;
using Signup.Gateway.Inbox;
using Signup.Gateway.Pages;
using Signup.Gateway.Web;
using Signup.Hosting.Http;

namespace Signup.Gateway.Accounts;

/// <summary>What became of a sign-up, as a page or as JSON.</summary>
public sealed class AccountAnswers(AccountLookup accounts, FormTokens formTokens, DevInbox inbox, TimeProvider time)
{
    /// <summary>In the page's address: since when its reader waits, in Unix seconds; and the correction of the address that he waits for.</summary>
    private const string Since = "since", CorrectionKey = "correction";

    /// <summary>Whoever has waited for so long is told what to do.</summary>
    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(3), LongRefresh = TimeSpan.FromSeconds(30);

    /// <summary>Where to look whether a correction was made.</summary>
    public static string PathOf(Guid accountId, Guid correctionId) => QueryHelpers.AddQueryString($"/users/{accountId}", CorrectionKey, $"{correctionId}");

    /// <param name="status">Of the answer, where the account is there.</param>
    /// <param name="notice">Words to put first on the page.</param>
    /// <param name="correction">Of the address, that was not accepted.</param>
    public async Task<IResult> ShowAsync(HttpContext http, StatusProof proof, int status = StatusCodes.Status200OK, string? notice = null, Correction? correction = null)
    {
        var texts = Client.Texts(http.Request);
        var page = Client.WantsPage(http.Request);
        AccountView account;
        try
        {
            account = await FindAsync(http, proof);
        }
        catch (QueryUnavailableException)
        {
            Problems.SetRetryAfter(http.Response, TimeSpan.FromSeconds(5));
            return page
                ? new LocalizedPage<MessagePage>(503, texts, new() { [nameof(MessagePage.Title)] = texts.StatusUnavailableTitle, [nameof(MessagePage.Text)] = texts.StatusUnavailable })
                : Problems.Problem(503, "unavailable", texts.StatusUnavailableTitle, texts.StatusUnavailable);
        }
        var (path, isLong) = Waiting(http.Request, proof.AccountId);
        var isDeciding = account.Status == AccountView.Deciding;
        if (isDeciding) status = StatusCodes.Status202Accepted;
        if (isDeciding || account.Correction is { Status: AccountView.Deciding }) Problems.SetRetryAfter(http.Response, TimeSpan.FromSeconds(1));
        if (!page) return Results.Json(account, statusCode: status);

        var isError = status >= StatusCodes.Status400BadRequest;
        if (account.Correction is { } change)
            (notice, isError) = change.Status == AccountView.Refused
                ? (change.Reason == "email-taken" ? texts.CorrectionTaken : texts.CorrectionUnavailable, true)
                : isLong ? (texts.CorrectionUnavailable, true) : (texts.Correcting, false);
        // Browsers without scripts load the page again by themselves; there is nothing on it to lose one's place in, or to fill in.
        if (isDeciding || account.Correction is { Status: AccountView.Deciding } && !isLong)
            http.Response.Headers["Refresh"] = $"{(isLong ? LongRefresh : Refresh).TotalSeconds:0}; url={path}";
        return new LocalizedPage<AccountPage>(status, texts, new()
        {
            [nameof(AccountPage.Account)] = account,
            [nameof(AccountPage.WaitsLong)] = isLong,
            [nameof(AccountPage.Path)] = path,
            [nameof(AccountPage.FormToken)] = formTokens.Issue(http),
            [nameof(AccountPage.Notice)] = notice,
            [nameof(AccountPage.NoticeIsError)] = isError,
            [nameof(AccountPage.Correction)] = correction,
            [nameof(AccountPage.InboxPath)] = inbox.IsOpen ? DevInbox.Path : null,
        });
    }

    private async Task<AccountView> FindAsync(HttpContext http, StatusProof proof)
    {
        var account = await accounts.FindAsync(proof, http.RequestAborted);
        return account.MailHasFailed && Guid.TryParse(http.Request.Query[CorrectionKey], out var correctionId)
            ? account with { Correction = await accounts.FindCorrectionAsync(proof, correctionId, http.RequestAborted) }
            : account;
    }

    /// <summary>Where to look again, and whether the reader has waited for long.</summary>
    private (string Path, bool IsLong) Waiting(HttpRequest request, Guid accountId)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var since = long.TryParse(request.Query[Since], out var given) && given >= 0 && given < now ? given : now;
        var query = new Dictionary<string, string?> { [Since] = $"{since}" };
        if (Guid.TryParse(request.Query[CorrectionKey], out var correctionId)) query[CorrectionKey] = $"{correctionId}";
        return (QueryHelpers.AddQueryString($"/users/{accountId}", query), now - since >= LongWait.TotalSeconds);
    }
}

/// <summary>What someone has typed to correct the address, and what is wrong with it.</summary>
public sealed record Correction(string Email, string Error);
