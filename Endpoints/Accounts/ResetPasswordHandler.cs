using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting;
using Signup.Messages.Accounts;
using PasswordChanged = Signup.EventLog.Accounts.PasswordChanged;

namespace Signup.Accounts;

/// <summary>Whoever reads mail at the account's address has chosen another password there. All sessions end: they may be those of whoever knew the former one.</summary>
public static class ResetPasswordHandler
{
    public static Task<Account> LoadAsync(ResetPassword command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (Append?, AccountVerdict) Handle(ResetPassword command, Account account)
    {
        var (changed, outcome) = Decide(command, account);
        return (changed is null ? null : new Append(command.AccountId, account.Version, changed), new(command.AccountId, outcome));
    }

    private static (PasswordChanged?, AccountOutcome) Decide(ResetPassword command, Account account) =>
        !account.Exists ? (null, AccountOutcome.Unknown)
        // Decided before. No two hashes are the same, but of the same command.
        : account.HasPassword(command.PasswordHash) ? (null, AccountOutcome.Done)
        : account.Credentials == command.Credentials && PasswordHash.IsOne(command.PasswordHash)
            ? (new(command.PasswordHash, SessionId: null, command.RequestedAt), AccountOutcome.Done)
            : (null, AccountOutcome.Refused);
}
