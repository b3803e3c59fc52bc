using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Calls;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;
using SignUpAttempted = Signup.EventLog.Accounts.SignUpAttempted;

namespace Signup.Accounts;

/// <summary>
/// Someone wants an account, with an address that is taken, and is not to learn that: whoever has the address is told instead. Anybody can sign up with a stranger's, so an account gets a few such
/// mails at a time, and as long as nobody has proved its address a few at all.
/// </summary>
public static class SignUpAttemptHandler
{
    /// <summary>So many times an account is told <see cref="Account.Lately"/>.</summary>
    public const int MostAttempts = 3;

    /// <summary>The account that has the address.</summary>
    public sealed record Owner(Guid AccountId, Account Account);

    /// <returns>Null: nobody has the address; or whoever asks may learn of it, from whoever decides the sign-up.</returns>
    public static async Task<Owner?> LoadAsync(SignUp command, Func<HolderClient> holders, LogReader log, CancellationToken cancellation) =>
        command.HideTaken && SignUpHandler.IsValid(command) && EmailAddress.IsOne(command.Email) && await holders().FindAsync(command.Email, cancellation) is { } holder && holder != command.AccountId
            ? OwnerOf(command, holder, await log.LoadAccountAsync(holder, cancellation))
            : null;

    /// <returns>Null: it has given the address up by now, or has only wanted it: then it may be free, as whoever decides the sign-up knows.</returns>
    public static Owner? OwnerOf(SignUp command, Guid holder, Account account) => account.Exists && EmailAddress.AreSame(account.Email, command.Email) ? new(holder, account) : null;

    /// <returns>Null where the owner is not told, having been already, by this command or by others.</returns>
    public static Append? Handle(SignUp command, Owner owner)
    {
        var account = owner.Account;
        var lately = account.SignUpAttempts.Where(at => at > command.RequestedAt - Account.Lately).ToList();
        return !lately.Contains(command.RequestedAt) && (account.Status == AccountStatus.Active ? lately.Count : account.SignUpAttemptCount) < MostAttempts
            ? new Append(owner.AccountId, account.Version, new SignUpAttempted(command.RequestedAt))
            : null;
    }
}
