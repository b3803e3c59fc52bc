using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Signup.Mail;
using static Signup.Tests.Unit.Mail.Given;
using EmailChanged = Signup.EventLog.Accounts.EmailChanged;
using MailBounced = Signup.EventLog.Accounts.MailBounced;
using MailComplained = Signup.EventLog.Accounts.MailComplained;
using SignUpAttempted = Signup.EventLog.Accounts.SignUpAttempted;

namespace Signup.Tests.Unit.Mail.activation_policy;

/// <summary>Laws that hold for any history of an account, however strange.</summary>
public sealed class every_decision
{
    private static readonly string[] Purposes = ["activation", "reminder-1", "reminder-2", "resend-1", "resend-2", "resend-3", "activation~1", "resend-1~1", "reminder-1~2", "sign-up-again-1", "sign-up-again-2"];

    /// <summary>One thing that happens, some hours after the one before.</summary>
    public sealed record Step(int Kind, int Purpose, int Hours)
    {
        /// <summary>Mostly what is due happens, so that histories go deep.</summary>
        public string Mail(ActivationPolicy policy, Activation? state) =>
            Purpose < 10 && state is not null && policy.WhatIsDue(state)?.Purpose is { } due ? due : Purposes[Purpose % Purposes.Length];

        public Decision Decide(ActivationPolicy policy, Activation? state, string mail, DateTimeOffset now) => Kind switch
        {
            0 => new(state is null ? null : policy.Apply(state, Account, Created)),
            1 => policy.Sent(state, mail, now),
            2 => policy.Refused(state, mail, "mailbox-unavailable", now),
            3 => policy.PutOff(state, mail, ours: Hours % 2 == 0, now),
            4 => policy.Interrupted(state, mail, now),
            5 => policy.Resend(state, now),
            6 => policy.ExpiryAsked(state, now),
            11 => new(policy.Apply(state, Account, Returned(mail, now))),
            12 => new(policy.Apply(state, Account, new SignUpAttempted(now))),
            10 => new(policy.Apply(state, Account, new EmailChanged("", $"{now.Ticks}@example.com", now))),
            _ => new(policy.Apply(state, Account, Ends[Kind % 3])),
        };

        /// <summary>What the provider says that became of it.</summary>
        public object Returned(string mail, DateTimeOffset now) => Hours % 3 == 0 ? new MailComplained(mail, now) : new MailBounced(mail, "mailbox-unavailable", now);
    }

    public static class Histories
    {
        public static Arbitrary<Step[]> Arbitrary() => Of(signUps: 3);

        /// <param name="signUps">How many times of 32 somebody signs up with the address once more.</param>
        internal static Arbitrary<Step[]> Of(int signUps) => (
            // Ends are rare, so that most histories are long.
            from kind in Gen.Frequency((3, Gen.Constant(0)), (8, Gen.Constant(1)), (2, Gen.Constant(2)), (4, Gen.Constant(3)),
                (3, Gen.Constant(4)), (5, Gen.Constant(5)), (1, Gen.Constant(6)), (1, Gen.Constant(10)), (1, Gen.Constant(11)), (signUps, Gen.Constant(12)), (1, Gen.Choose(7, 9)))
            from purpose in Gen.Choose(0, 15)
            from hours in Gen.Choose(0, 30)
            select new Step(kind, purpose, hours)).ArrayOf().ToArbitrary();
    }

    /// <summary>How soon after a mail another one may be asked for counts from when that was asked for, which the log does not know: whether a sign-up gave cause for one cannot be derived to the minute.</summary>
    public static class HistoriesOfOneSignUp
    {
        public static Arbitrary<Step[]> Arbitrary() => Histories.Of(signUps: 0);
    }

    [Property(Arbitrary = [typeof(Histories)], MaxTest = 2000)]
    public void made_again_changes_nothing(Step[] history) => Walk(history, (policy, _, step, mail, decision, now) =>
    {
        // A pause that begins anew is a new pause. An event has a version, and is taken once.
        if (step.Kind is 3 or 4 or 10) return;
        var again = step.Decide(policy, decision.State, mail, now);
        Assert.Empty(again.Facts);
        if (step.Kind == 6) Assert.Equal(decision.State, again.State);
        else Assert.Same(decision.State, again.State);
    });

    [Property(Arbitrary = [typeof(Histories)], MaxTest = 2000)]
    public void leaves_something_due(Step[] history) => Walk(history, (policy, _, _, _, decision, _) =>
    {
        if (decision.State is { } state) Assert.NotNull(policy.WhatIsDue(state));
    });

    [Property(Arbitrary = [typeof(Histories)], MaxTest = 2000)]
    public void never_sends_a_dead_link(Step[] history) => Walk(history, (policy, _, _, _, decision, now) =>
    {
        if (decision.State is { } state && policy.WhatIsDue(state, now) is { Purpose: not null }) Assert.True(policy.LinkExpires(state, now) > now);
    });

    [Property(Arbitrary = [typeof(Histories)], MaxTest = 2000)]
    public void leaves_an_end_an_end(Step[] history) => Walk(history, (_, before, _, _, decision, _) =>
    {
        if (before is null) Assert.True(decision.State is null && decision.Facts.Count == 0);
    });

    [Property(Arbitrary = [typeof(HistoriesOfOneSignUp)], MaxTest = 2000)]
    public void can_be_derived_anew_from_what_the_log_says(Step[] history)
    {
        var log = new List<object> { Created };
        Walk(history, (policy, before, step, mail, decision, now) =>
        {
            log.AddRange(decision.Facts);
            if (before is not null && decision.State is null) log.Add(Ends[step.Kind % 3]);
            if (step.Kind == 10 && decision.State is { } moved) log.Add(new EmailChanged("", moved.Email, moved.Since));
            if (step.Kind == 11) log.Add(step.Returned(mail, now));
            var derived = log.Aggregate((Activation?)null, (s, e) => policy.Apply(s, Account, e));
            if (decision.State is not { } state)
            {
                Assert.Null(derived);
                return;
            }
            Assert.Equal((state.Email, state.AddressChanges, state.Since), (derived!.Email, derived.AddressChanges, derived.Since));
            Assert.Equal((state.Status, state.SentAt, state.LinkExpires, state.Reminders), (derived.Status, derived.SentAt, derived.LinkExpires, derived.Reminders));
            // The log does not know what the user has asked for until that is done, nor how often a mail was put off.
            if (state is { ExpiryAskedAt: null, Status: not ActivationStatus.Unwanted }) Assert.Equal(state.ResendDue ? state.Resends - 1 : state.Resends, derived.Resends);
            if (state is { ResendDue: false, RetryAt: null, ExpiryAskedAt: null }) Assert.Equal(policy.WhatIsDue(state), policy.WhatIsDue(derived));
        });
    }

    [Property(Arbitrary = [typeof(Histories)], MaxTest = 2000)]
    public void finds_what_is_due_again_when_its_time_comes(Step[] history) => Walk(history, (policy, _, _, _, decision, _) =>
    {
        if (decision.State is { } state && policy.WhatIsDue(state) is { } due) Assert.NotNull(policy.WhatIsDue(state, due.At));
    });

    private static void Walk(Step[] history, Action<ActivationPolicy, Activation?, Step, string, Decision, DateTimeOffset> check)
    {
        var policy = new ActivationPolicy(Defaults);
        var state = policy.Apply(null, Account, Created);
        var now = Start;
        foreach (var step in history)
        {
            now = now.AddHours(step.Hours);
            var mail = step.Mail(policy, state);
            var decision = step.Decide(policy, state, mail, now);
            check(policy, state, step, mail, decision, now);
            state = decision.State;
        }
    }
}
