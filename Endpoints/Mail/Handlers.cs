using System.Diagnostics;
using Signup.Messages.Accounts;
using Signup.Messages.Mail;

namespace Signup.Mail;

// The messages that the policy takes part in. Each returns when its decision is committed, and only then is the message acknowledged.

public static class AccountCreatedHandler
{
    public static Task Handle(AccountCreated e, Activations activations)
    {
        var trace = Activity.Current?.Id;
        return activations.DecideAsync(e.AccountId, state => ActivationPolicy.Start(state, e, trace));
    }
}

public static class AccountActivatedHandler
{
    public static Task Handle(AccountActivated e, Activations activations) =>
        activations.DecideAsync(e.AccountId, state => ActivationPolicy.End(state, e.AccountId, ActivationStatus.Activated));
}

public static class AccountExpiredHandler
{
    public static Task Handle(AccountExpired e, Activations activations) =>
        activations.DecideAsync(e.AccountId, state => ActivationPolicy.End(state, e.AccountId, ActivationStatus.Expired));
}

public static class AccountDeletedHandler
{
    public static Task Handle(AccountDeleted e, Activations activations) =>
        activations.DecideAsync(e.AccountId, state => ActivationPolicy.End(state, e.AccountId, ActivationStatus.Deleted));
}

public static class ResendActivationMailHandler
{
    public static Task Handle(ResendActivationMail command, Activations activations, ActivationPolicy policy) =>
        activations.DecideAsync(command.AccountId, state => policy.Resend(state, command.RequestedAt));
}
