using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using EmailChangeRequested = Signup.EventLog.Accounts.EmailChangeRequested;

namespace Signup.Accounts;

/// <summary>
/// Who is signed in, and knows the password, wants another address. It is reserved, so the event is proposed to Uniqueness: but only until the link that goes there is used, or is over, since anybody can
/// want a stranger's. For the same reason an account gets a few such mails at a time. One that is not active yet has an address that nobody has proved: its mail is the way to that.
/// </summary>
public static class RequestEmailChangeHandler
{
    /// <summary>So many links of an account are not over at a time, though only those to the address that was wanted last work.</summary>
    public const int MostLinks = 5;

    public static Task<Account> LoadAsync(RequestEmailChange command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (ProposeEvent?, Verdict?) Handle(RequestEmailChange command, Account account)
    {
        var asked = new EmailChangeRequested(command.Email.Trim(), command.ExpiresAt, command.RequestedAt, Unreserved: command.HideTaken);
        if (account.EmailChanges.Contains(asked)) return Propose.Nothing(command.AccountId, VerdictOutcome.Accepted, account.Version);
        if (!account.HasPassword(command.Verified)) return Propose.Nothing(command.AccountId, VerdictOutcome.Refused);
        if (account.Status != AccountStatus.Active || asked.NewEmail.Length is 0 or > Limits.Email || asked.NewEmail == account.Email || asked.ExpiresAt <= asked.RequestedAt)
            return Propose.Nothing(command.AccountId, VerdictOutcome.Invalid);
        if (account.EmailChanges.Count(c => c.ExpiresAt > asked.RequestedAt) >= MostLinks) return Propose.Nothing(command.AccountId, VerdictOutcome.TooMany);
        return (Propose.Event(command.AccountId, ProposalId.OfEmailChange(command.AccountId, asked.RequestedAt), account.Version, asked), null);
    }
}
