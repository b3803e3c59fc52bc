using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using EmailChanged = Signup.EventLog.Accounts.EmailChanged;

namespace Signup.Accounts;

/// <summary>
/// Whoever signed up wants the mail at another address, since none reaches the one they gave. Nobody has proved that one, so nothing but the new one has to be
/// free. Where mails do arrive, it is not given up: else anyone could have them sent to a stranger again and again, by signing up with an address that was given up a moment ago.
/// </summary>
public static class CorrectEmailHandler
{
    public static Task<Account> LoadAsync(CorrectEmail command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (ProposeEvent?, Verdict?) Handle(CorrectEmail command, Account account)
    {
        var email = command.Email.Trim();
        // Asked again, by whoever did not hear the answer.
        if (account is { Status: AccountStatus.Pending, AddressChanges: > 0 } && account.Email == email)
            return Propose.Nothing(command.AccountId, VerdictOutcome.Accepted, account.Version);
        if (account.Status != AccountStatus.Pending || !account.Mail.IsInVain() || email.Length is 0 or > Limits.Email || email == account.Email)
            return Propose.Nothing(command.AccountId, VerdictOutcome.Invalid);

        var changed = new EmailChanged(account.Email, email, command.RequestedAt);
        return (Propose.Event(command.AccountId, ProposalId.OfCorrection(command.AccountId, command.RequestedAt), account.Version, changed), null);
    }
}
