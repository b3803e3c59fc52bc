using Signup.Gateway.SigningUp;

namespace Signup.Gateway.Accounts;

/// <summary>What has become of a sign-up: what Query knows, or else that it was refused, or else that it is still to be decided.</summary>
public sealed class AccountLookup(QueryClient query, LateRefusals refusals)
{
    /// <param name="accountId">Of a sign-up that was handed over, which a status token proves.</param>
    /// <exception cref="QueryUnavailableException">Query did not answer.</exception>
    public async Task<AccountView> FindAsync(Guid accountId, CancellationToken cancellation)
    {
        if (await query.FindAsync(accountId, cancellation) is { } account) return account;
        return refusals.Find(accountId) is { } what
            ? new AccountView(accountId, null, null, AccountView.Refused, null, what + "-taken")
            : new AccountView(accountId, null, null, AccountView.Deciding, null);
    }
}
