using System.Text.Json;
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
using EmailChangeRequested = Signup.EventLog.Accounts.EmailChangeRequested;
using PasswordChanged = Signup.EventLog.Accounts.PasswordChanged;
using SignedOutEverywhere = Signup.EventLog.Accounts.SignedOutEverywhere;
using UsernameChanged = Signup.EventLog.Accounts.UsernameChanged;

namespace Signup.Tests.Unit.Accounts;

public class when_somebody_changes_their_address
{
    private const string Hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$cHJlc2VudA";

    private static readonly Guid Id = Guid.Parse("0193b1c2-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero), End = Now.AddDays(1);
    private static readonly AccountCreated Created = new("Ada", "Ada@example.org", Hash, "en", Now);
    private static readonly AccountActivated Activated = new(Now);
    private static readonly EmailChangeRequested Wanted = new("ada@new.example", End, Now), Another = new("ada@third.example", End, Now.AddTicks(1));
    private static readonly EmailChanged Changed = new("Ada@example.org", "ada@new.example", Now);
    private static readonly object[] Ends = [new AccountExpired("Ada@example.org", Now), new AccountDeleted("Ada@example.org", Now)];

    private static readonly RequestEmailChange Ask = new(Id, Hash, " ada@new.example ", End, Now);
    private static readonly ConfirmEmailChange Confirm = new(Id, 1, Now);

    private static VerdictOutcome? Outcome(RequestEmailChange command, params object[] history) => RequestEmailChangeHandler.Handle(command, Account.Fold(history)).Item2?.Outcome;

    private static VerdictOutcome? Outcome(ConfirmEmailChange command, params object[] history) => ConfirmEmailChangeHandler.Handle(command, Account.Fold(history)).Item2?.Outcome;

    // Wanting another

    [Fact]
    public void another_address_is_proposed_since_it_is_to_be_reserved()
    {
        var (proposed, verdict) = RequestEmailChangeHandler.Handle(Ask, Account.Fold([Created, Activated]));
        Assert.Null(verdict);
        Assert.Equal((Id, 2L, "EmailChangeRequested"), (proposed!.StreamId, proposed.ExpectedVersion, proposed.Type));
        Assert.Equal(Wanted, JsonSerializer.Deserialize<EmailChangeRequested>(proposed.Data, LogJson.Options));
        // Nothing has changed by that.
        Assert.Equal("Ada@example.org", Account.Fold([Created, Activated, Wanted]).Email);
    }

    [Fact]
    public void where_taken_addresses_are_hidden_it_is_not_reserved()
    {
        var (proposed, _) = RequestEmailChangeHandler.Handle(Ask with { HideTaken = true }, Account.Fold([Created, Activated]));
        Assert.Equal(Wanted with { Unreserved = true }, JsonSerializer.Deserialize<EmailChangeRequested>(proposed!.Data, LogJson.Options));
        Assert.Equal(VerdictOutcome.Accepted, Outcome(Ask with { HideTaken = true }, Created, Activated, Wanted with { Unreserved = true }));
        // As events had it before there was such a thing.
        Assert.DoesNotContain("unreserved", JsonSerializer.Serialize(Wanted, LogJson.Options), StringComparison.Ordinal);
    }

    [Fact]
    public void whoever_asks_the_same_again_is_answered_as_before_also_after_another_wish()
    {
        foreach (var since in new object[][] { [Wanted], [Wanted, Another], [Wanted, new PasswordChanged("$new", null, Now)], [Wanted, Changed] })
            Assert.Equal(VerdictOutcome.Accepted, Outcome(Ask, [Created, Activated, .. since]));
    }

    [Fact]
    public void the_same_wish_is_one_proposal_and_a_later_one_is_another()
    {
        Assert.Equal(IdOf(Ask), IdOf(Ask with { ExpiresAt = End.AddHours(1) }));
        Assert.Equal(3, new[] { Ask, Ask with { RequestedAt = Now.AddTicks(1) }, Ask with { AccountId = Guid.Empty } }.Select(IdOf).Distinct().Count());
        // The id is not sealed: nobody can try addresses by it.
        Assert.Equal(IdOf(Ask), IdOf(Ask with { Email = "eve@example.org" }));

        static Guid IdOf(RequestEmailChange command) => RequestEmailChangeHandler.Handle(command, Account.Fold([Created, Activated])).Item1!.EventId;
    }

    [Fact]
    public void what_can_be_no_other_address_of_an_active_account_is_refused()
    {
        foreach (var email in new[] { " ", "Ada@example.org", new string('x', 255) }) Assert.Equal(VerdictOutcome.Invalid, Outcome(Ask with { Email = email }, Created, Activated));
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Ask with { ExpiresAt = Now }, Created, Activated));
        // Written in another way it is another mailbox, as far as we know.
        Assert.Null(Outcome(Ask with { Email = "ada@example.org" }, Created, Activated));
        // Its mail is the way to be active.
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Ask, Created));
    }

    [Fact]
    public void who_does_not_know_the_password_that_the_account_has_by_then_is_refused()
    {
        foreach (var verified in new[] { "", "$x", null! }) Assert.Equal(VerdictOutcome.Refused, Outcome(Ask with { Verified = verified }, Created, Activated));
        Assert.Equal(VerdictOutcome.Refused, Outcome(Ask, Created, Activated, new PasswordChanged("$new", null, Now)));
        foreach (var end in Ends) Assert.Equal(VerdictOutcome.Refused, Outcome(Ask, Created, Activated, end));
        Assert.Equal(VerdictOutcome.Refused, Outcome(Ask));
        // Its address may be another by then: that is no reason.
        Assert.NotNull(RequestEmailChangeHandler.Handle(Ask with { Email = "eve@example.org" }, Account.Fold([Created, Activated, Changed])).Item1);
    }

    [Fact]
    public void however_often_it_is_asked_for_strangers_get_only_a_few_mails_at_a_time()
    {
        var history = new List<object> { Created, Activated };
        for (var n = 0; n < 10; n++)
            if (Asked(n) is (not null, _)) history.Add(new EmailChangeRequested("ada@new.example", End.AddMinutes(n), Now.AddMinutes(n)));
        Assert.Equal(2 + RequestEmailChangeHandler.MostLinks, history.Count);
        Assert.Equal(VerdictOutcome.TooMany, Asked(24 * 60 - 1).Item2!.Outcome);
        // Neither using one nor another password makes room: else there would be no end to it.
        foreach (var since in new object[] { Changed, new PasswordChanged(Hash, null, Now) })
            Assert.Equal(VerdictOutcome.TooMany, Outcome(Ask with { Email = "eve@example.org", RequestedAt = Now.AddHours(1) }, [.. history, since]));
        // The first is over.
        Assert.NotNull(Asked(24 * 60).Item1);
        Assert.Single(Account.Fold([.. history, new EmailChangeRequested("ada@new.example", End.AddDays(9), Now.AddDays(8))]).EmailChanges);

        (ProposeEvent?, Verdict?) Asked(int minutes) => RequestEmailChangeHandler.Handle(Ask with { RequestedAt = Now.AddMinutes(minutes), ExpiresAt = End.AddMinutes(minutes) }, Account.Fold(history));
    }

    // The link

    [Fact]
    public void whoever_reads_mail_there_makes_it_the_account_s()
    {
        var (proposed, verdict) = ConfirmEmailChangeHandler.Handle(Confirm, Account.Fold([Created, Activated, Wanted, new UsernameChanged("Ada", "Countess", Now)]));
        Assert.Null(verdict);
        Assert.Equal((Id, 4L, "EmailChanged"), (proposed!.StreamId, proposed.ExpectedVersion, proposed.Type));
        Assert.Equal(Changed, JsonSerializer.Deserialize<EmailChanged>(proposed.Data, LogJson.Options));
        Assert.NotEqual(proposed.EventId, ConfirmEmailChangeHandler.Handle(Confirm with { RequestedAt = Now.AddTicks(1) }, Account.Fold([Created, Activated, Wanted])).Item1!.EventId);
    }

    [Fact]
    public void pressed_again_it_says_the_same_as_long_as_that_is_the_account_s_address()
    {
        foreach (var since in new object[][] { [], [Another], [new PasswordChanged("$new", null, Now)], [new SignedOutEverywhere(Now)] })
            Assert.Equal(VerdictOutcome.Accepted, Outcome(Confirm, [Created, Activated, Wanted, Changed, .. since]));
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm, Created, Activated, Wanted, Changed, new EmailChanged("ada@new.example", "ada@third.example", Now)));
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm, Created, Activated, Wanted, Changed, Ends[1]));
        // Got otherwise.
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm, Created, Activated, Another, Changed));
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm with { Request = 0 }, Created, Activated, Changed));
    }

    [Fact]
    public void a_link_is_dead_once_another_is_wanted_or_the_password_was_changed_or_its_time_is_over()
    {
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm, Created, Activated, Wanted, Another));
        Assert.Null(Outcome(Confirm with { Request = 2 }, Created, Activated, Wanted, Another));
        // Whoever wanted it may have been somebody who knew the former password.
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm, Created, Activated, Wanted, new PasswordChanged("$new", null, Now)));
        Assert.Null(Outcome(Confirm with { RequestedAt = End.AddTicks(-1) }, Created, Activated, Wanted));
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm with { RequestedAt = End }, Created, Activated, Wanted));
        foreach (var end in Ends) Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm, Created, Activated, Wanted, end));
        Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm));
    }

    [Fact]
    public void asked_for_again_each_of_its_links_works()
    {
        // By a second click, or for one more mail.
        var again = Wanted with { ExpiresAt = End.AddHours(1), RequestedAt = Now.AddHours(1) };
        Assert.Equal(VerdictOutcome.Accepted, Outcome(Confirm, Created, Activated, Wanted, again, Changed));
        var late = Confirm with { RequestedAt = End.AddMinutes(1) };
        Assert.Equal((null, VerdictOutcome.Invalid), (Outcome(late, Created, Activated, Wanted, again), Outcome(late, Created, Activated, again, Wanted)));
        // Behind what has ended it, it is a new wish.
        foreach (var between in new object[] { Another, new PasswordChanged("$new", null, Now) }) Assert.Equal(VerdictOutcome.Invalid, Outcome(Confirm with { RequestedAt = Now.AddHours(2) }, Created, Activated, Wanted, between, again));
    }

    [Property]
    public Property deciding_again_on_the_resulting_state_yields_no_event() => Prop.ForAll(Histories(), history =>
    {
        return new Func<Account, object?>[]
        {
            a => Read<EmailChangeRequested>(RequestEmailChangeHandler.Handle(Ask, a).Item1),
            a => Read<EmailChanged>(ConfirmEmailChangeHandler.Handle(Confirm with { Request = Account.Fold(history).EmailChangeCount }, a).Item1),
        }.All(decide => decide(Account.Fold(history)) is not { } e || decide(Account.Fold([.. history, e])) is null);

        static object? Read<T>(ProposeEvent? proposed) => proposed is null ? null : JsonSerializer.Deserialize<T>(proposed.Data, LogJson.Options);
    });

    private static Arbitrary<object[]> Histories() => Gen.ArrayOf(Gen.Elements<object>(
        Created, Activated, Ends[0], Ends[1], Wanted, Another, Changed, new EmailChanged("ada@new.example", "Ada@example.org", Now), new PasswordChanged("$new", null, Now))).ToArbitrary();
}
