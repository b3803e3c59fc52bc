using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;

namespace Signup.Accounts;

/// <summary>Who is signed in, and knows the password, has another one from now on. Whoever else was signed in is not any more.</summary>
public static class ChangePasswordHandler
{
    public static Task<Account> LoadAsync(ChangePassword command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (Append?, AccountVerdict) Handle(ChangePassword command, Account account) =>
        AnotherPassword.Decide(command.AccountId, account, isEntitled: account.HasPassword(command.Verified), command.PasswordHash, command.SessionId, command.RequestedAt);
}
