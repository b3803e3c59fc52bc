using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;

namespace Signup.Accounts;

/// <summary>Whoever reads mail at the account's address has chosen another password there. All sessions end: they may be those of whoever knew the former one.</summary>
public static class ResetPasswordHandler
{
    public static Task<Account> LoadAsync(ResetPassword command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (Append?, AccountVerdict) Handle(ResetPassword command, Account account) =>
        AnotherPassword.Decide(command.AccountId, account, isEntitled: account.Credentials == command.Credentials, command.PasswordHash, goesOn: null, command.RequestedAt);
}
