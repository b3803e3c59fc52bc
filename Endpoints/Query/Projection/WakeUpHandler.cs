using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;
using Signup.Messages.Operations;

namespace Signup.Query.Projection;

/// <summary>What the messages on the queue <c>query</c> are good for: they end the follower's rest. The data comes from the log, by position, so it does
/// not matter in which order they arrive, or whether they do (see <see cref="LogFollower{TProjection}"/>).</summary>
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
    public static void Handle(MessageRetried _, WakeUp wakeUp) => wakeUp.Signal();
    public static void Handle(MessageDiscarded _, WakeUp wakeUp) => wakeUp.Signal();
}
