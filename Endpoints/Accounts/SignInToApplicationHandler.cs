using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;
using SignedInToApplication = Signup.EventLog.Accounts.SignedInToApplication;

namespace Signup.Accounts;

/// <summary>
/// An application comes with a code, to be told whose account it is. That it may, and that no other has come with the same code (RFC 6749, 4.1.2), is decided here,
/// since the log is what all gateways share.
/// </summary>
public static class SignInToApplicationHandler
{
    public static Task<Account> LoadAsync(SignInToApplication command, LogReader log, CancellationToken cancellation) =>
        log.LoadAccountAsync(command.AccountId, cancellation);

    public static (Append?, AccountVerdict) Handle(SignInToApplication command, Account account)
    {
        var came = account.Applications.FirstOrDefault(a => a.CodeId == command.CodeId);
        if (!account.Exists) return (null, Verdict(AccountOutcome.Unknown));
        if (came is not null) return (null, Verdict(came.RequestId == command.RequestId ? AccountOutcome.Done : AccountOutcome.Refused));
        // Only whoever has shown that the address is theirs is somebody for others.
        if (account.Status != AccountStatus.Active || !account.Sessions.Admits(command.Generation, command.SessionId)) return (null, Verdict(AccountOutcome.Refused));
        return (new Append(command.AccountId, account.Version, new SignedInToApplication(command.Application, command.CodeId, command.RequestId, command.RequestedAt)), Verdict(AccountOutcome.Done));

        AccountVerdict Verdict(AccountOutcome outcome) => new(command.AccountId, outcome);
    }
}
