using Signup.EventLog;
using Signup.Messages.Mail;

namespace Signup.Mail;

/// <summary>The user has asked. Returns when that is committed, and only then is the message acknowledged.</summary>
public static class ResendActivationMailHandler
{
    public static async Task<ResendVerdict> Handle(ResendActivationMail command, Activations activations, ActivationPolicy policy)
    {
        var verdict = new ResendVerdict(command.AccountId, ResendOutcome.NotAny, null);
        var cause = Cause.Capture();
        await activations.DecideAsync(command.AccountId, state =>
        {
            verdict = policy.MayResend(state, command.AccountId, command.RequestedAt);
            return policy.Resend(state, command.RequestedAt, cause);
        });
        return verdict;
    }
}
