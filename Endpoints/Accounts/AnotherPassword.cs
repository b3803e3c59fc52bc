using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;
using PasswordChanged = Signup.EventLog.Accounts.PasswordChanged;

namespace Signup.Accounts;

/// <summary>An account gets another password, whoever was entitled to choose it, and by what.</summary>
internal static class AnotherPassword
{
    /// <param name="isEntitled">By the present password, or by a link.</param>
    /// <param name="goesOn">The session that does not end; null: all do.</param>
    public static (Append?, AccountVerdict) Decide(Guid accountId, Account account, bool isEntitled, string passwordHash, Guid? goesOn, DateTimeOffset requestedAt)
    {
        var outcome = !account.Exists ? AccountOutcome.Unknown
            // Decided before. No two hashes are the same, but of the same command.
            : account.HasPassword(passwordHash) || (isEntitled && PasswordHash.IsOne(passwordHash)) ? AccountOutcome.Done
            : AccountOutcome.Refused;
        var isNew = outcome == AccountOutcome.Done && !account.HasPassword(passwordHash);
        return (isNew ? new Append(accountId, account.Version, new PasswordChanged(passwordHash, goesOn, requestedAt)) : null, new(accountId, outcome));
    }
}
