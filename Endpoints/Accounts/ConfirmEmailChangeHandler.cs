using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using EmailChanged = Signup.EventLog.Accounts.EmailChanged;

namespace Signup.Accounts;

/// <summary>Whoever reads mail at the address that an account is to have has pressed the button. The claim moves with the event, so it is proposed to Uniqueness.</summary>
public static class ConfirmEmailChangeHandler
{
    public static Task<Account> LoadAsync(ConfirmEmailChange command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (ProposeEvent?, Verdict?) Handle(ConfirmEmailChange command, Account account)
    {
        if (account.Exists && command.Request > 0 && account.EmailChangeDone == command.Request) return Propose.Nothing(command.AccountId, VerdictOutcome.Accepted, account.Version);
        if (account is not { Status: AccountStatus.Active, EmailChange: { } asked } || account.EmailChangeCount != command.Request || asked.ExpiresAt <= command.RequestedAt)
            return Propose.Nothing(command.AccountId, VerdictOutcome.Invalid);

        var changed = new EmailChanged(account.Email, asked.NewEmail, command.RequestedAt);
        return (Propose.Event(command.AccountId, ProposalId.OfConfirmation(command.AccountId, command.Request, command.RequestedAt), account.Version, changed), null);
    }
}
