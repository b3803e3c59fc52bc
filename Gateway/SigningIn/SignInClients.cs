using Signup.Gateway.Accounts;
using Signup.Hosting.Calls;

namespace Signup.Gateway.SigningIn;

/// <summary>Asks Accounts whether a password is an account's, by its hash.</summary>
public sealed class SignInClient(HttpClient http)
{
    private sealed record SaltAnswer(string? Salt);

    private sealed record Answer(SignedInAccount? Account);

    /// <param name="onlyActive">One that is not active is none.</param>
    /// <returns>A PHC string without its hash; null where there is no such account.</returns>
    /// <exception cref="HttpRequestException">It is not known now.</exception>
    public async Task<string?> SaltAsync(Guid accountId, bool onlyActive, CancellationToken cancellation) =>
        (await http.AskAsync<SaltAnswer>(HttpMethod.Get, $"/sign-ins/{accountId}/salt?onlyActive={onlyActive}", null, cancellation)).Salt;

    /// <param name="onlyActive">One that is not active is none.</param>
    /// <returns>Null: address or password is wrong, or there is no such account.</returns>
    /// <exception cref="HttpRequestException">It is not known now.</exception>
    public async Task<SignedInAccount?> CheckAsync(Guid accountId, string email, string passwordHash, bool onlyActive, CancellationToken cancellation) =>
        (await http.AskAsync<Answer>(HttpMethod.Post, $"/sign-ins/{accountId}", JsonContent.Create(new { email, passwordHash, onlyActive }), cancellation)).Account;
}

/// <param name="SessionGeneration">A session that begins now is of this one.</param>
public sealed record SignedInAccount(Guid Id, string Username, string Email, string Status, MailView Mail, int SessionGeneration)
{
    public AccountView View => new(Id, Username, Email, Status, Mail);
}
