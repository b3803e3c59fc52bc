using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Signup.Accounts;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using AccountActivated = Signup.EventLog.Accounts.AccountActivated;
using AccountCreated = Signup.EventLog.Accounts.AccountCreated;
using AccountDeleted = Signup.EventLog.Accounts.AccountDeleted;
using AccountExpired = Signup.EventLog.Accounts.AccountExpired;
using EmailChanged = Signup.EventLog.Accounts.EmailChanged;

namespace Signup.Tests.Unit.Accounts;

public class when_deciding_about_an_account
{
    private static readonly Guid Id = Guid.Parse("0193b1c2-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly SignUp Ada = new(Id, " Ada ", "Ada@example.org ", "$argon2id$x", "en", Now);
    private static readonly AccountCreated Created = new("Ada", "Ada@example.org", "$argon2id$x", "en", Now);

    private static readonly EmailChanged Changed = new("Ada@example.org", "ada@new.example", Now);

    [Fact]
    public void a_sign_up_proposes_the_account_for_a_new_stream()
    {
        var (proposed, verdict) = SignUpHandler.Handle(Ada);

        Assert.Null(verdict);
        Assert.Equal((Id, 0L, "AccountCreated", false), (proposed!.StreamId, proposed.ExpectedVersion, proposed.Type, proposed.Once));
        Assert.Equal(Created, System.Text.Json.JsonSerializer.Deserialize<AccountCreated>(proposed.Data, LogJson.Options));
    }

    [Fact]
    public void the_same_sign_up_again_is_the_same_proposal_whenever_and_in_whatever_language_it_is_sent() =>
        Assert.Equal(EventIdOf(Ada), EventIdOf(Ada with { RequestedAt = Now.AddDays(1), Language = "de" }));

    [Fact]
    public void any_other_content_is_another_proposal() =>
        Assert.Equal(5, new[] { Ada, Ada with { Username = "Eve" }, Ada with { Email = "eve@example.org" }, Ada with { PasswordHash = "$other" }, Ada with { AccountId = Guid.NewGuid() } }
            .Select(EventIdOf).Distinct().Count());

    [Theory]
    [InlineData(" ", "a@b.c", "$x")]
    [InlineData("Ada", "", "$x")]
    [InlineData("Ada", "a@b.c", "secret")]
    public void an_incomplete_sign_up_is_refused_and_proposes_nothing(string username, string email, string hash)
    {
        var (proposed, verdict) = SignUpHandler.Handle(Ada with { Username = username, Email = email, PasswordHash = hash });

        Assert.Null(proposed);
        Assert.Equal(VerdictOutcome.Invalid, verdict!.Outcome);
    }

    [Fact]
    public void so_is_one_that_is_longer_than_any_form_lets_through_or_holds_what_cannot_be_stored()
    {
        var hash = Ada.PasswordHash;
        foreach (var bad in new[]
        {
            Ada with { Username = new string('x', 3_000_000) }, Ada with { Username = string.Concat(Enumerable.Repeat("🦊", 65)) }, Ada with { Username = "A\0da" }, Ada with { Username = "A\uD800da" },
            Ada with { Email = new string('x', 251) + "@b.c" }, Ada with { PasswordHash = hash + new string('x', 512) }, Ada with { Language = new string('x', 36) },
        })
            Assert.Equal(VerdictOutcome.Invalid, SignUpHandler.Handle(bad).Item2?.Outcome);
        Assert.NotNull(SignUpHandler.Handle(Ada with { Username = string.Concat(Enumerable.Repeat("🦊", 64)) }).Item1);
    }

    [Fact]
    public void a_pending_account_is_activated()
    {
        var (events, outcome) = Activate(Created);

        Assert.Equal([new AccountActivated(Now)], events);
        Assert.Equal(ActivationOutcome.Active, outcome);
    }

    [Fact]
    public void an_active_account_stays_active_and_nothing_happens() => Expect(ActivationOutcome.Active, Created, new AccountActivated(Now));

    [Fact]
    public void an_expired_account_cannot_be_activated() => Expect(ActivationOutcome.Expired, Created, new AccountExpired("Ada@example.org", Now));

    [Fact]
    public void a_deleted_account_cannot_be_activated() => Expect(ActivationOutcome.Expired, Created, new AccountDeleted("Ada@example.org", Now));

    [Fact]
    public void an_unknown_account_cannot_be_activated() => Expect(ActivationOutcome.Unknown);

    [Fact]
    public void a_link_mailed_to_an_address_that_was_replaced_is_dead()
    {
        Expect(ActivationOutcome.AddressChanged, Created, Changed);
        Expect(ActivationOutcome.AddressChanged, Created, new AccountActivated(Now), Changed);
    }

    [Fact]
    public void a_link_mailed_to_the_new_address_activates()
    {
        var (events, outcome) = ActivateAccountHandler.Decide(new ActivateAccount(Id, Now, AddressChanges: 1), Account.Fold([Created, Changed]));

        Assert.Equal([new AccountActivated(Now)], events);
        Assert.Equal(ActivationOutcome.Active, outcome);
    }

    [Fact]
    public void a_link_mailed_to_an_address_that_is_not_the_accounts_yet_is_dead() =>
        Assert.Equal(ActivationOutcome.AddressChanged, ActivateAccountHandler.Decide(new ActivateAccount(Id, Now, AddressChanges: 1), Account.Fold([Created])).Outcome);

    [Fact]
    public void an_address_that_comes_back_needs_a_new_link() =>
        Expect(ActivationOutcome.AddressChanged, Created, Changed, new EmailChanged("ada@new.example", "Ada@example.org", Now));

    [Fact]
    public void a_pending_account_may_expire_and_gives_up_the_address_it_has_now()
    {
        var proposed = ExpireAccountHandler.Handle(new ExpireAccount(Id, Now), Account.Fold([Created, Changed]));

        Assert.Equal((2L, "AccountExpired"), (proposed!.ExpectedVersion, proposed.Type));
        Assert.Equal("ada@new.example", proposed.Data.GetProperty("email").GetString());
    }

    [Fact]
    public void an_active_account_does_not_expire() =>
        Assert.Null(ExpireAccountHandler.Handle(new ExpireAccount(Id, Now), Account.Fold([Created, new AccountActivated(Now)])));

    private static readonly CorrectEmail Correction = new(Id, " ada@new.example ", Now);
    private static readonly MailBounced Bounced = new("activation", "mailbox-unavailable", Now);

    [Fact]
    public void an_address_that_no_mail_reaches_is_proposed_to_be_replaced()
    {
        foreach (var failure in new object[] { Bounced, new ActivationMailFailed("activation", "mailbox-unavailable", Now), new MailComplained("activation", Now) })
        {
            var (proposed, verdict) = CorrectEmailHandler.Handle(Correction, Account.Fold([Created, failure]));

            Assert.Null(verdict);
            Assert.Equal((Id, 2L, "EmailChanged", false), (proposed!.StreamId, proposed.ExpectedVersion, proposed.Type, proposed.Once));
            Assert.Equal(Changed, System.Text.Json.JsonSerializer.Deserialize<EmailChanged>(proposed.Data, LogJson.Options));
        }
    }

    [Fact]
    public void an_address_that_mails_reach_is_not_given_up_so_that_nobody_gets_them_again_and_again()
    {
        Assert.Equal((null, VerdictOutcome.Invalid, 0L), Corrected(Created));
        Assert.Equal((null, VerdictOutcome.Invalid, 0L), Corrected(Created, new ActivationMailSent("activation", Now)));
        Assert.Equal((null, VerdictOutcome.Invalid, 0L), Corrected(Created, Bounced, new ActivationMailSent("resend-1", Now)));
        Assert.Equal((null, VerdictOutcome.Invalid, 0L), Corrected(Created, Bounced, new ActivationMailSent("resend-1", Now), new MailBounced("activation", "x", Now)));
        Assert.Equal((null, VerdictOutcome.Invalid, 0L), Corrected(Created, Bounced, new EmailChanged("Ada@example.org", "a@b.c", Now), new MailBounced("activation", "x", Now)));
    }

    [Fact]
    public void the_same_correction_delivered_again_is_the_same_proposal_and_a_new_try_is_another()
    {
        Assert.Equal(EventIdOf(Correction), EventIdOf(Correction));
        Assert.Equal(3, new[] { Correction, Correction with { RequestedAt = Now.AddTicks(1) }, Correction with { AccountId = Guid.Empty } }.Select(EventIdOf).Distinct().Count());
        // The id is not sealed: nobody can try addresses by it.
        Assert.Equal(EventIdOf(Correction), EventIdOf(Correction with { Email = "eve@new.example" }));

        static Guid EventIdOf(CorrectEmail command) => CorrectEmailHandler.Handle(command, Account.Fold([Created, Bounced])).Item1!.EventId;
    }

    [Fact]
    public void a_correction_that_is_done_is_accepted_again_and_proposes_nothing() =>
        Assert.Equal((null, VerdictOutcome.Accepted, 3L), Corrected(Created, Bounced, Changed));

    [Fact]
    public void a_correction_that_corrects_nothing_or_comes_too_late_is_refused()
    {
        Assert.Equal((null, VerdictOutcome.Invalid, 0L), Corrected());
        foreach (var end in new object[] { new AccountActivated(Now), new AccountExpired("Ada@example.org", Now), new AccountDeleted("Ada@example.org", Now) })
            Assert.Equal((null, VerdictOutcome.Invalid, 0L), Corrected(Created, Bounced, end));
        foreach (var email in new[] { " ", "Ada@example.org" })
            Assert.Equal(VerdictOutcome.Invalid, CorrectEmailHandler.Handle(Correction with { Email = email }, Account.Fold([Created, Bounced])).Item2!.Outcome);
    }

    private static (ProposeEvent?, VerdictOutcome, long) Corrected(params object[] history)
    {
        var (proposed, verdict) = CorrectEmailHandler.Handle(Correction, Account.Fold(history));
        return (proposed, verdict!.Outcome, verdict.Version);
    }

    [Property]
    public Property deciding_again_on_the_resulting_state_yields_no_event() => Prop.ForAll(Histories(), history =>
    {
        var account = Account.Fold(history);
        var (events, _) = ActivateAccountHandler.Decide(new ActivateAccount(Id, Now), account);
        var (again, _) = ActivateAccountHandler.Decide(new ActivateAccount(Id, Now), events.Aggregate(account, (a, e) => a.Apply(e)));
        return again.Count == 0;
    });

    private static Arbitrary<object[]> Histories() => Gen.ArrayOf(Gen.Elements<object>(
        Created, Changed, new AccountActivated(Now), new AccountExpired("a@b.c", Now), new AccountDeleted("a@b.c", Now), new ActivationMailSent("activation", Now))).ToArbitrary();

    private static Guid EventIdOf(SignUp command) => SignUpHandler.Handle(command).Item1!.EventId;

    private static (IReadOnlyList<object>, ActivationOutcome) Activate(params object[] history) =>
        ActivateAccountHandler.Decide(new ActivateAccount(Id, Now), Account.Fold(history));

    private static void Expect(ActivationOutcome expected, params object[] history)
    {
        var (events, outcome) = Activate(history);
        Assert.Empty(events);
        Assert.Equal(expected, outcome);
    }
}
