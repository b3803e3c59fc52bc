using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;
using SignedOut = Signup.EventLog.Accounts.SignedOut;

namespace Signup.Accounts;

/// <summary>A session ends before its time. Whoever has its token, on whichever device, is signed out.</summary>
public static class SignOutHandler
{
    public static Task<Account> LoadAsync(SignOut command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (Append?, AccountVerdict) Handle(SignOut command, Account account) =>
        !account.Exists ? (null, new(command.AccountId, AccountOutcome.Unknown))
        : account.Sessions.Ended.Contains(command.SessionId) ? (null, new(command.AccountId, AccountOutcome.Done))
        : (new Append(command.AccountId, account.Version, new SignedOut(command.SessionId, command.RequestedAt)), new(command.AccountId, AccountOutcome.Done));
}
