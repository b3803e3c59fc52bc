using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using AccountExpired = Signup.EventLog.Accounts.AccountExpired;

namespace Signup.Accounts;

/// <summary>Nobody activated the account in time. Its address becomes free again, so the event goes through Uniqueness.
/// Should anything else happen to the account meanwhile, the proposal fails on its version; Mail asks again as long as the account is pending.</summary>
public static class ExpireAccountHandler
{
    public static Task<Account> LoadAsync(ExpireAccount command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static ProposeEvent? Handle(ExpireAccount command, Account account) => account.Status is not AccountStatus.Pending
        ? null
        : Propose.Event(command.AccountId, eventId: Guid.CreateVersion7(), account.Version, new AccountExpired(account.Email, command.RequestedAt));
}
