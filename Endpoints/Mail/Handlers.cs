using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;

namespace Signup.Mail;

/// <summary>Whatever has happened is read from the log (see <see cref="PendingAccounts"/>). A message says that there is something new.</summary>
public static class WakeUpHandler
{
    public static void Handle(AccountCreated _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(AccountActivated _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(AccountExpired _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(EmailChanged _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(AccountDeleted _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(MailBounced _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(MailComplained _, WakeUp wakeUp) => wakeUp.Signal();
}

/// <summary>The user has asked. Returns when that is committed, and only then is the message acknowledged.</summary>
public static class ResendActivationMailHandler
{
    public static async Task<ResendVerdict> Handle(ResendActivationMail command, Activations activations, ActivationPolicy policy)
    {
        var verdict = new ResendVerdict(command.AccountId, ResendOutcome.NotAny, null);
        await activations.DecideAsync(command.AccountId, state =>
        {
            verdict = policy.MayResend(state, command.AccountId, command.RequestedAt);
            return policy.Resend(state, command.RequestedAt);
        });
        return verdict;
    }
}
