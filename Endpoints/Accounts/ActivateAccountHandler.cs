using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;
using AccountActivated = Signup.EventLog.Accounts.AccountActivated;

namespace Signup.Accounts;

/// <summary>Whoever reads mail at the account's address has pressed the button. A link proves the address that it was mailed to, and no later one.</summary>
public static class ActivateAccountHandler
{
    public static Task<Account> LoadAsync(ActivateAccount command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (Append?, ActivationVerdict) Handle(ActivateAccount command, Account account)
    {
        var (events, outcome) = Decide(command, account);
        return (events.Count == 0 ? null : new Append(command.AccountId, account.Version, events), new ActivationVerdict(command.AccountId, outcome));
    }

    public static (IReadOnlyList<object> Events, ActivationOutcome Outcome) Decide(ActivateAccount command, Account account) => account.Status switch
    {
        AccountStatus.Pending or AccountStatus.Active when command.AddressChanges != account.AddressChanges => ([], ActivationOutcome.AddressChanged),
        AccountStatus.Pending => ([new AccountActivated(command.RequestedAt)], ActivationOutcome.Active),
        AccountStatus.Active => ([], ActivationOutcome.Active),
        AccountStatus.None => ([], ActivationOutcome.Unknown),
        _ => ([], ActivationOutcome.Expired),
    };
}
