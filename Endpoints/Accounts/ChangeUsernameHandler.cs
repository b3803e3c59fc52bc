using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using UsernameChanged = Signup.EventLog.Accounts.UsernameChanged;

namespace Signup.Accounts;

/// <summary>Who is signed in wants to be called something else. Whether user names are unique is for Uniqueness to know, so the event is proposed there.</summary>
public static class ChangeUsernameHandler
{
    public static Task<Account> LoadAsync(ChangeUsername command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (ProposeEvent?, Verdict?) Handle(ChangeUsername command, Account account)
    {
        if (!account.Exists || !SignUpHandler.IsUsername(command.Username)) return Propose.Nothing(command.AccountId, VerdictOutcome.Invalid);

        var username = command.Username.Trim();
        if (account.Username == username) return Propose.Nothing(command.AccountId, VerdictOutcome.Accepted, account.Version);
        var changed = new UsernameChanged(account.Username, username, command.RequestedAt);
        return (Propose.Event(command.AccountId, ProposalId.OfUsername(command.AccountId, command.RequestedAt), account.Version, changed), null);
    }
}
