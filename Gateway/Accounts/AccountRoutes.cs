using Signup.Gateway.Inbox;
using Signup.Gateway.Pages;
using Signup.Gateway.Web;

namespace Signup.Gateway.Accounts;

/// <summary>What became of a sign-up, for whoever signed up. For anyone else there is nothing here, whether or not there is.</summary>
public static class AccountRoutes
{
    public static void MapAccounts(this IEndpointRouteBuilder app) => app.MapGet("/users/{id}", ShowAsync);

    private static async Task<IResult> ShowAsync(string id, HttpContext http, StatusTokens tokens, AccountLookup accounts, FormTokens formTokens, DevInbox inbox)
    {
        if (!Guid.TryParseExact(id, "D", out var accountId) || tokens.Find(http.Request, accountId) == Holder.Nobody) return NotFound(http);
        return await AnswerAsync(http, accountId, accounts, formTokens, inbox, 200);
    }

    /// <summary>The account's page, or its JSON.</summary>
    /// <param name="status">Of the answer, where the account is there.</param>
    /// <param name="notice">Words to put first on the page.</param>
    /// <param name="correction">Of the address, that was not accepted.</param>
    public static async Task<IResult> AnswerAsync(HttpContext http, Guid accountId, AccountLookup accounts, FormTokens formTokens, DevInbox inbox, int status, string? notice = null, Correction? correction = null)
    {
        var texts = Client.Texts(http.Request);
        var page = Client.WantsPage(http.Request);
        AccountView account;
        try
        {
            account = await accounts.FindAsync(accountId, http.RequestAborted);
        }
        catch (QueryUnavailableException)
        {
            Problems.SetRetryAfter(http.Response, TimeSpan.FromSeconds(5));
            return page
                ? new Page<MessagePage>(503, texts, new() { [nameof(MessagePage.Title)] = texts.StatusUnavailableTitle, [nameof(MessagePage.Text)] = texts.StatusUnavailable })
                : Problems.Problem(503, "unavailable", texts.StatusUnavailableTitle, texts.StatusUnavailable);
        }
        if (account.Status == AccountView.Deciding)
        {
            status = StatusCodes.Status202Accepted;
            Problems.SetRetryAfter(http.Response, TimeSpan.FromSeconds(1));
            // Browsers without scripts load the page again by themselves; there is nothing on it to lose one's place in.
            if (page) http.Response.Headers["Refresh"] = "3";
        }
        if (!page) return Results.Json(account, statusCode: status);
        return new Page<AccountPage>(status, texts, new()
        {
            [nameof(AccountPage.Account)] = account,
            [nameof(AccountPage.FormToken)] = formTokens.Issue(http),
            [nameof(AccountPage.Notice)] = notice,
            [nameof(AccountPage.NoticeIsError)] = status >= StatusCodes.Status400BadRequest,
            [nameof(AccountPage.Correction)] = correction,
            [nameof(AccountPage.InboxPath)] = inbox.IsOpen ? DevInbox.Path : null,
        });
    }

    public static IResult NotFound(HttpContext http)
    {
        var texts = Client.Texts(http.Request);
        return Client.WantsPage(http.Request)
            ? new Page<MessagePage>(404, texts, new() { [nameof(MessagePage.Title)] = texts.NotFoundTitle, [nameof(MessagePage.Text)] = texts.AccountNotFound })
            : Problems.Problem(404, "not-found", texts.NotFoundTitle, texts.AccountNotFound);
    }
}

/// <summary>What someone has typed to correct the address, and what is wrong with it.</summary>
public sealed record Correction(string Email, string Error);
