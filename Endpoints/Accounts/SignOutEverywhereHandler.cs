using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;
using SignedOutEverywhere = Signup.EventLog.Accounts.SignedOutEverywhere;

namespace Signup.Accounts;

/// <summary>All sessions end that have begun by now, the one that asks included.</summary>
public static class SignOutEverywhereHandler
{
    public static Task<Account> LoadAsync(SignOutEverywhere command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (Append?, AccountVerdict) Handle(SignOutEverywhere command, Account account) =>
        !account.Exists ? (null, new(command.AccountId, AccountOutcome.Unknown))
        : !account.Sessions.IsPresent(command.Generation, command.SessionId) ? (null, new(command.AccountId, AccountOutcome.Done))
        : (new Append(command.AccountId, account.Version, new SignedOutEverywhere(command.RequestedAt)), new(command.AccountId, AccountOutcome.Done));
}
