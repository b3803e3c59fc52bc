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
    public static Task Handle(ResendActivationMail command, Activations activations, ActivationPolicy policy) =>
        activations.DecideAsync(command.AccountId, state => policy.Resend(state, command.RequestedAt));
}
