using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting;
using Signup.Messages.Accounts;
using PasswordChanged = Signup.EventLog.Accounts.PasswordChanged;

namespace Signup.Accounts;

/// <summary>Who is signed in, and knows the password, has another one from now on. Whoever else was signed in is not any more.</summary>
public static class ChangePasswordHandler
{
    public static Task<Account> LoadAsync(ChangePassword command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (Append?, AccountVerdict) Handle(ChangePassword command, Account account)
    {
        var (changed, outcome) = Decide(command, account);
        return (changed is null ? null : new Append(command.AccountId, account.Version, changed), new(command.AccountId, outcome));
    }

    private static (PasswordChanged?, AccountOutcome) Decide(ChangePassword command, Account account) =>
        !account.Exists ? (null, AccountOutcome.Unknown)
        // Decided before. No two hashes are the same, but of the same command.
        : account.HasPassword(command.PasswordHash) ? (null, AccountOutcome.Done)
        : account.HasPassword(command.Verified) && PasswordHash.IsOne(command.PasswordHash)
            ? (new(command.PasswordHash, command.SessionId, command.RequestedAt), AccountOutcome.Done)
            : (null, AccountOutcome.Refused);
}
