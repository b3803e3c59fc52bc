using Signup.Mail;
using Signup.Messages.Accounts;

namespace Signup.Tests.Unit.Mail;

/// <summary>An account's activation, told as a story: what happened, in order, and what it came to.</summary>
internal sealed class Given(MailSettings? settings = null)
{
    public static readonly Guid Account = Guid.Parse("0199d3a2-7b1c-7e3a-9d52-3f1f0c8a4e11");
    public static readonly DateTimeOffset Start = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    public static readonly AccountCreated Created = new(Account, 1, "Ada", "ada@example.com", "en", Start);

    /// <summary>The defaults of appsettings.json.</summary>
    public static readonly MailSettings Defaults = new() { Reminders = [TimeSpan.FromDays(1), TimeSpan.FromDays(3)] };

    public ActivationPolicy Policy { get; } = new(settings ?? Defaults);
    public Activation? State { get; private set; }
    public List<object> Facts { get; } = [];

    /// <summary>After the sign-up, the first mail waiting.</summary>
    public static Given SignedUp(MailSettings? settings = null) => new Given(settings).After(s => ActivationPolicy.Start(s, Created));

    /// <summary>After the first mail, one minute later.</summary>
    public static Given MailSent(MailSettings? settings = null) => SignedUp(settings).After((p, s) => p.Sent(s, "activation", Start.AddMinutes(1)));

    public Given After(Func<Activation?, Decision> decide)
    {
        var decision = decide(State);
        State = decision.State;
        Facts.AddRange(decision.Facts);
        return this;
    }

    public Given After(Func<ActivationPolicy, Activation?, Decision> decide) => After(s => decide(Policy, s));

    public Given Ended(ActivationStatus end) => After(s => ActivationPolicy.End(s, Account, end));

    public Due? Due => Policy.WhatIsDue(State!);
}
