using System.Text.Json;
using System.Text.Json.Serialization;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Hosting.Http;

namespace Signup.Accounts;

/// <summary>
/// Whether a password is an account's, for the gateway, which hashes it: first the salt is asked for, then the hash compared. A password goes no further than
/// the gateway, and a hash that is in the log never goes there. Who has no account gets answers of the same shape: nobody learns by them who has one.
/// </summary>
public static class SignInDoor
{
    /// <param name="Email">As typed at the sign-in.</param>
    /// <param name="OnlyActive">An account that is not active is none: whoever has signed up, and is not to learn whether the address was taken, is not let in by that.</param>
    public sealed record Attempt(string? Email, string? PasswordHash, bool OnlyActive = false);

    /// <summary>Null: wrong, whatever it is that is wrong.</summary>
    public sealed record Answer(SignedInAccount? Account);

    /// <param name="Salt">See <see cref="EventLog.Accounts.PasswordHash.SaltOf"/>; null where there is no such account.</param>
    public sealed record SaltAnswer(string? Salt);

    /// <param name="SessionGeneration">A session that begins now is of this one. See <see cref="SessionStatus"/>.</param>
    public sealed record SignedInAccount(Guid Id, string Username, string Email, AccountStatus Status, MailStatus Mail, int SessionGeneration);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    public static void MapSignInDoor(this WebApplication app)
    {
        var door = app.MapGroup("/sign-ins/{accountId:guid}").RequireApiKey("Accounts:ApiKey");
        door.MapGet("/salt", (Guid accountId, bool? onlyActive, LogReader log, CancellationToken cancellation) => AnswerAsync(accountId, log, account => new SaltAnswer(SaltOf(account, onlyActive is true)), cancellation));
        door.MapPost("", CheckAsync);
    }

    private static async Task<IResult> CheckAsync(Guid accountId, HttpContext http, LogReader log, CancellationToken cancellation)
    {
        try
        {
            var attempt = await JsonBody.ReadAsync<Attempt>(http, Json);
            return await AnswerAsync(accountId, log, account => new Answer(Decide(accountId, account, attempt)), cancellation);
        }
        catch (FormatException e)
        {
            return Problems.Problem(400, "invalid", "invalid", e.Message);
        }
    }

    /// <summary>Who may sign in with this: whoever has typed the address that the account has, and its password. An account that is not active yet has an owner, too.</summary>
    public static SignedInAccount? Decide(Guid accountId, Account account, Attempt attempt) =>
        IsThere(account, attempt.OnlyActive) && EmailAddress.AreSame(account.Email, attempt.Email ?? "") && account.HasPassword(attempt.PasswordHash ?? "")
            ? new(accountId, account.Username, account.Email, account.Status, account.Mail, account.Sessions.Generation)
            : null;

    public static string? SaltOf(Account account, bool onlyActive = false) => IsThere(account, onlyActive) ? PasswordHash.SaltOf(account.PasswordHash) : null;

    private static bool IsThere(Account account, bool onlyActive) => onlyActive ? account.Status == AccountStatus.Active : account.Exists;

    private static async Task<IResult> AnswerAsync(Guid accountId, LogReader log, Func<Account, object> answer, CancellationToken cancellation)
    {
        try
        {
            var account = await log.LoadAccountAsync(accountId, cancellation);
            return Results.Json(answer(account), Json);
        }
        catch (Exception e) when (Recoverability.IsTransient(e))
        {
            return Problems.Problem(503, "unavailable", "unavailable", "The log cannot be reached.", retryAfter: TimeSpan.FromSeconds(1));
        }
    }
}
