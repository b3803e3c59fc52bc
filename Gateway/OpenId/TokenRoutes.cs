using Microsoft.AspNetCore;
using OpenIddict.Abstractions;
using Signup.Gateway.Accounts;
using Signup.Hosting.Http;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Signup.Gateway.OpenId;

/// <summary>An application comes with its code, and is told whose account it is. That it is the first to come with it, and that the session goes on, is decided by the log.</summary>
public static class TokenRoutes
{
    public const string Path = $"{OpenIdServices.Root}/token";

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(1);

    public static void MapToken(this IEndpointRouteBuilder app) => app.MapPost(Path, ExchangeAsync);

    private static async Task<IResult> ExchangeAsync(HttpContext http, AccountCommands commands, TimeProvider time)
    {
        var code = (await OpenIdAnswers.ReadAsync(http))!;
        var (accountId, session, generation) = LetInClaims.Read(code);
        try
        {
            var verdict = await commands.AskAsync<AccountVerdict>(new SignInToApplication(
                accountId, session, generation, http.GetOpenIddictServerRequest()!.ClientId!, Guid.Parse(code.GetClaim(LetInClaims.Code)!), Guid.CreateVersion7(), time.GetUtcNow()), http.RequestAborted);
            return verdict?.Outcome switch
            {
                AccountOutcome.Done => OpenIdAnswers.Issue(code),
                null => Unavailable(http),
                _ => OpenIdAnswers.Refuse(Errors.InvalidGrant, "The code was used before, or whoever it is of is not signed in any more."),
            };
        }
        catch (BrokerUnavailableException)
        {
            return Unavailable(http);
        }
    }

    private static IResult Unavailable(HttpContext http)
    {
        Problems.SetRetryAfter(http.Response, RetryAfterOutage);
        return Results.Json(new { error = Errors.TemporarilyUnavailable, error_description = "It is not known yet whether the code is good. Should it be refused next time, send the user to sign in once more." }, statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}
