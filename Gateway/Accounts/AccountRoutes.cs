using Signup.Gateway.Api;
using Signup.Gateway.Pages;
using Signup.Gateway.Web;
using Signup.Hosting.Http;

namespace Signup.Gateway.Accounts;

/// <summary>What became of a sign-up, for whoever signed up. For anyone else there is nothing here, whether or not there is.</summary>
public static class AccountRoutes
{
    public static void MapAccounts(this IEndpointRouteBuilder app) => app.MapGet("/users/{id}", ShowAsync)
        .ForPrograms(Describing.SigningUp, "See what became of it").ForWhoSignedUp()
        .Answers<AccountView>(200, "The account, and its mail.").Answers<AccountView>(202, "Not decided yet.").MayBeUnavailable("Not known right now.");

    private static async Task<IResult> ShowAsync(string id, HttpContext http, StatusTokens tokens, AccountAnswers answers) =>
        tokens.Find(http.Request, id) is { } proof ? await answers.ShowAsync(http, proof) : NotFound(http);

    public static IResult NotFound(HttpContext http)
    {
        var texts = Client.Texts(http.Request);
        return Client.WantsPage(http.Request)
            ? new LocalizedPage<MessagePage>(404, texts, new() { [nameof(MessagePage.Title)] = texts.NotFoundTitle, [nameof(MessagePage.Text)] = texts.AccountNotFound })
            : Problems.Problem(404, "not-found", texts.NotFoundTitle, texts.AccountNotFound);
    }
}
