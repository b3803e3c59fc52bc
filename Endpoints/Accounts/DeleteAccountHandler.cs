using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using AccountDeleted = Signup.EventLog.Accounts.AccountDeleted;

namespace Signup.Accounts;

/// <summary>
/// Who is signed in, and knows the password, leaves. The address becomes free, so the event is proposed to Uniqueness. An account that is not active stays until it expires: whoever signs up with a stranger's
/// address could else delete the account and sign up again, over and over, and have a mail sent there each time.
/// </summary>
public static class DeleteAccountHandler
{
    public static Task<Account> LoadAsync(DeleteAccount command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (ProposeEvent?, Verdict?) Handle(DeleteAccount command, Account account) =>
        account.Status == AccountStatus.Deleted && (account.Forgotten || !command.Forget) ? Propose.Nothing(command.AccountId, VerdictOutcome.Accepted, account.Version)
        : !account.HasPassword(command.Verified) ? Propose.Nothing(command.AccountId, VerdictOutcome.Refused)
        : account.Status != AccountStatus.Active ? Propose.Nothing(command.AccountId, VerdictOutcome.Invalid)
        : (Propose.Event(command.AccountId, ProposalId.OfDeletion(command.AccountId, command.RequestedAt), account.Version, new AccountDeleted(account.Email, command.RequestedAt, command.Forget)), null);
}
