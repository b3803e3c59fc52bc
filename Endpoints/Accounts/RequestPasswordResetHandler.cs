using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;
using PasswordResetRequested = Signup.EventLog.Accounts.PasswordResetRequested;

namespace Signup.Accounts;

/// <summary>Somebody has forgotten a password, or says so: anybody can ask for this, for any address. So an account gets a few mails at a time, where one was not wanted none, and as long as
/// nobody has proved its address a few at all: anybody can sign up with a stranger's.</summary>
public static class RequestPasswordResetHandler
{
    /// <summary>So many links of an account are valid at a time: whoever asks for one more in vain has those.</summary>
    public const int MostLinks = 3;

    public static Task<Account> LoadAsync(RequestPasswordReset command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static Append? Handle(RequestPasswordReset command, Account account)
    {
        var live = account.PasswordResets.Where(end => end > command.RequestedAt).ToList();
        return account.Exists && EmailAddress.AreSame(account.Email, command.Email) && account.Mail.State != MailState.Complained
            && (account.Status == AccountStatus.Active ? live.Count : account.PasswordResetCount) < MostLinks && !live.Contains(command.ExpiresAt) && command.ExpiresAt > command.RequestedAt
            ? new Append(command.AccountId, account.Version, new PasswordResetRequested(command.ExpiresAt, command.RequestedAt))
            : null;
    }
}
