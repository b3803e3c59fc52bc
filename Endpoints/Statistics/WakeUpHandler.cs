using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;

namespace Signup.Statistics;

/// <summary>A message says that there is something new in the log; the counts come from there.</summary>
public static class WakeUpHandler
{
    public static void Handle(AccountCreated _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(AccountActivated _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(AccountExpired _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(EmailChanged _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(AccountDeleted _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(ActivationMailSent _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(ActivationMailFailed _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(MailSent _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(MailFailed _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(MailDelivered _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(MailBounced _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(MailComplained _, WakeUp wakeUp) => wakeUp.Signal();
}
