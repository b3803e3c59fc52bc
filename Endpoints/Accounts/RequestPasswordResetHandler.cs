using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting;
using Signup.Messages.Accounts;
using PasswordResetRequested = Signup.EventLog.Accounts.PasswordResetRequested;

namespace Signup.Accounts;

/// <summary>Somebody has forgotten a password, or says so: anybody can ask for this, for any address. So an account gets a few mails at a time, and where one was not wanted none;
/// but whoever asks in vain has a link that is valid.</summary>
public static class RequestPasswordResetHandler
{
    /// <summary>So many links of an account are valid at a time.</summary>
    public const int MostLinks = 3;

    public static Task<Account> LoadAsync(RequestPasswordReset command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static Append? Handle(RequestPasswordReset command, Account account)
    {
        var live = account.PasswordResets.Where(end => end > command.RequestedAt).ToList();
        return account.Exists && EmailAddress.AreSame(account.Email, command.Email) && account.Mail.State != MailState.Complained
            && live.Count < MostLinks && !live.Contains(command.ExpiresAt) && command.ExpiresAt > command.RequestedAt
            ? new Append(command.AccountId, account.Version, new PasswordResetRequested(command.ExpiresAt, command.RequestedAt))
            : null;
    }
}
