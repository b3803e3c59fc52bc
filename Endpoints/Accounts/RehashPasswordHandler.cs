using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;
using PasswordRehashed = Signup.EventLog.Accounts.PasswordRehashed;

namespace Signup.Accounts;

/// <summary>Someone has signed in whose password was hashed at another cost than that in force: from now on the log's latest hash of it is the new one.</summary>
public static class RehashPasswordHandler
{
    public static Task<Account> LoadAsync(RehashPassword command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static Append? Handle(RehashPassword command, Account account) =>
        account.Exists && account.PasswordHash == command.Verified && command.PasswordHash != command.Verified && PasswordHash.IsOne(command.PasswordHash)
            ? new Append(command.AccountId, account.Version, new PasswordRehashed(command.PasswordHash, command.RequestedAt))
            : null;
}
