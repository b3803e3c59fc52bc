using Signup.EventLog.Accounts;
using Signup.Mail;

namespace Signup.Tests.Unit.Mail;

/// <summary>An account's activation, told as a story: what happened, in order, and what it came to.</summary>
internal sealed class Given(MailSettings? settings = null)
{
    public static readonly Guid Account = Guid.Parse("0199d3a2-7b1c-7e3a-9d52-3f1f0c8a4e11");
    public static readonly DateTimeOffset Start = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    public static readonly object[] Ends = [new AccountActivated(Start.AddHours(1)), new AccountExpired("ada@example.com", Start.AddDays(7)), new AccountDeleted("ada@example.com", Start.AddHours(2))];
    public static readonly EmailChanged Changed = new("ada@example.com", "ada@new.example", Start.AddHours(3));
    public static readonly AccountCreated Created = new("Ada", "ada@example.com", "$argon2id$", "en", Start);

    /// <summary>The defaults of appsettings.json.</summary>
    public static readonly MailSettings Defaults = new() { Reminders = [TimeSpan.FromDays(1), TimeSpan.FromDays(3)] };

    public ActivationPolicy Policy { get; } = new(settings ?? Defaults);
    public Activation? State { get; private set; }
    public List<object> Facts { get; } = [];

    /// <summary>After the sign-up, the first mail waiting.</summary>
    public static Given SignedUp(MailSettings? settings = null) => new Given(settings).Heard(Created);

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

    /// <summary>What the log says.</summary>
    public Given Heard(params IEnumerable<object> events) => After(s => new Decision(events.Aggregate(s, (state, e) => Policy.Apply(state, Account, e))));

    public Due Due => Policy.WhatIsDue(State!);
}
