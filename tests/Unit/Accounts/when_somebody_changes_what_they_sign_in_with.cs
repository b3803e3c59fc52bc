using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Signup.Accounts;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using AccountActivated = Signup.EventLog.Accounts.AccountActivated;
using AccountCreated = Signup.EventLog.Accounts.AccountCreated;
using AccountDeleted = Signup.EventLog.Accounts.AccountDeleted;
using AccountExpired = Signup.EventLog.Accounts.AccountExpired;
using EmailChanged = Signup.EventLog.Accounts.EmailChanged;
using MailComplained = Signup.EventLog.Accounts.MailComplained;
using PasswordChanged = Signup.EventLog.Accounts.PasswordChanged;
using PasswordRehashed = Signup.EventLog.Accounts.PasswordRehashed;
using PasswordResetRequested = Signup.EventLog.Accounts.PasswordResetRequested;
using SignedOut = Signup.EventLog.Accounts.SignedOut;
using SignedOutEverywhere = Signup.EventLog.Accounts.SignedOutEverywhere;
using UsernameChanged = Signup.EventLog.Accounts.UsernameChanged;

namespace Signup.Tests.Unit.Accounts;

public class when_somebody_changes_what_they_sign_in_with
{
    private const string Hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA", Anew = "$argon2id$v=19$m=8,t=1,p=1$YW5vdGhlcnNhbHR5ZXRhZw$bmV3";

    private static readonly Guid Id = Guid.Parse("0193b1c2-0000-7000-8000-000000000001"), Session = Guid.Parse("0193b1c2-0000-7000-8000-000000000002"), Other = Guid.Parse("0193b1c2-0000-7000-8000-000000000003");
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly AccountCreated Created = new("Ada", "Ada@example.org", Hash, "en", Now);
    private static readonly AccountActivated Activated = new(Now);
    private static readonly object[] Ends = [new AccountExpired("Ada@example.org", Now), new AccountDeleted("Ada@example.org", Now)];
    private static readonly IEnumerable<Account> NotThere = Ends.Select(end => Account.Fold([Created, end])).Append(Account.Nobody);

    // Changing the password

    private static readonly ChangePassword Change = new(Id, Session, Hash, Anew, Now);

    [Fact]
    public void who_knows_the_password_gets_another_one_and_all_sessions_end_but_the_one_that_asks()
    {
        var (append, verdict) = ChangePasswordHandler.Handle(Change, Account.Fold([Created, Activated]));
        Assert.Equal((Id, 2L), (append!.StreamId, append.ExpectedVersion));
        Assert.Equal([new PasswordChanged(Anew, Session, Now)], append.Events);
        Assert.Equal(new AccountVerdict(Id, AccountOutcome.Done), verdict);

        var account = After(append, Created, Activated);
        Assert.Equal((true, false), (account.HasPassword(Anew), account.HasPassword(Hash)));
        Assert.Equal((true, false, true), (account.Sessions.Admits(0, Session), account.Sessions.Admits(0, Other), account.Sessions.Admits(1, Other)));
    }

    [Fact]
    public void who_does_not_know_it_changes_nothing()
    {
        foreach (var verified in new[] { "", "$x", Hash + "x" })
            Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Refused)), ChangePasswordHandler.Handle(Change with { Verified = verified }, Account.Fold([Created, Activated])));
        // It was changed meanwhile, by whoever else knew it.
        Assert.Equal(AccountOutcome.Refused, ChangePasswordHandler.Handle(Change, Account.Fold([Created, new PasswordChanged("$other", null, Now)])).Item2.Outcome);
        Assert.Equal(AccountOutcome.Refused, ChangePasswordHandler.Handle(Change with { PasswordHash = "no hash" }, Account.Fold([Created])).Item2.Outcome);
    }

    [Fact]
    public void a_command_that_comes_again_is_answered_as_before()
    {
        // Whoever had decided it died before its answer was sent.
        object[] changed = [Created, new PasswordChanged(Anew, Session, Now)];
        Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Done)), ChangePasswordHandler.Handle(Change, Account.Fold(changed)));
        Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Done)), ResetPasswordHandler.Handle(Reset, Account.Fold(changed)));
    }

    [Fact]
    public void a_password_that_was_hashed_anew_meanwhile_is_the_same_and_one_that_was_changed_is_not()
    {
        Assert.Equal(AccountOutcome.Done, ChangePasswordHandler.Handle(Change, Account.Fold([Created, new PasswordRehashed("$dearer", Now)])).Item2.Outcome);
        Assert.False(Account.Fold([Created, new PasswordRehashed("$dearer", Now), new PasswordChanged(Anew, null, Now)]).HasPassword(Hash));
    }

    [Fact]
    public void the_session_that_went_on_can_still_be_ended_alone_and_together_with_all_others()
    {
        object[] changed = [Created, new PasswordChanged(Anew, Session, Now)];
        Assert.False(Account.Fold([.. changed, new SignedOut(Session, Now)]).Sessions.Admits(0, Session));
        var account = After(SignOutEverywhereHandler.Handle(new(Id, 0, Now, Session), Account.Fold(changed)).Item1, changed);
        Assert.Equal((false, false, true), (account.Sessions.Admits(0, Session), account.Sessions.Admits(1, Other), account.Sessions.Admits(2, Other)));
        // One that had ended ends nothing.
        Assert.Null(SignOutEverywhereHandler.Handle(new(Id, 0, Now, Other), Account.Fold(changed)).Item1);
        Assert.False(Account.Fold([.. changed, new PasswordChanged("$third", Other, Now)]).Sessions.Admits(0, Session));
    }

    // A forgotten one

    private static readonly RequestPasswordReset Ask = new(Id, " ada@EXAMPLE.org", Now.AddHours(1), Now);

    [Fact]
    public void whoever_has_the_address_is_sent_a_link_whether_the_account_is_active_or_not()
    {
        foreach (var history in new object[][] { [Created], [Created, Activated] })
        {
            var append = RequestPasswordResetHandler.Handle(Ask, Account.Fold(history))!;
            Assert.Equal((Id, (long)history.Length), (append.StreamId, append.ExpectedVersion));
            Assert.Equal([new PasswordResetRequested(Now.AddHours(1), Now)], append.Events);
        }
    }

    [Fact]
    public void nobody_else_is()
    {
        Assert.All(NotThere, account => Assert.Null(RequestPasswordResetHandler.Handle(Ask, account)));
        Assert.Null(RequestPasswordResetHandler.Handle(Ask, Account.Fold([Created, new EmailChanged("Ada@example.org", "ada@new.example", Now)])));
        Assert.Null(RequestPasswordResetHandler.Handle(Ask with { Email = "no address" }, Account.Fold([Created])));
        Assert.Null(RequestPasswordResetHandler.Handle(Ask, Account.Fold([Created, new MailComplained("activation", Now)])));
        // A link that would be over at once.
        Assert.Null(RequestPasswordResetHandler.Handle(Ask with { ExpiresAt = Now }, Account.Fold([Created])));
    }

    [Fact]
    public void however_often_anybody_asks_only_so_many_links_are_valid_at_a_time()
    {
        var history = new List<object> { Created, Activated };
        for (var n = 0; n < 10; n++)
            if (Asked(n) is { } append) history.AddRange(append.Events);
        Assert.Equal(2 + RequestPasswordResetHandler.MostLinks, history.Count);
        Assert.Null(Asked(59));
        // The first is over, so there is room for one.
        Assert.NotNull(Asked(60));
        Assert.Equal([Now.AddMinutes(121)], Account.Fold([.. history, new PasswordResetRequested(Now.AddMinutes(121), Now.AddMinutes(62))]).PasswordResets);
        // And for as many as before where one was used.
        history.Add(new PasswordChanged(Anew, null, Now.AddMinutes(10)));
        Assert.NotNull(Asked(11));
        // As long as nobody has proved the address it is so many at all.
        history.Remove(Activated);
        Assert.Null(Asked(24 * 60));

        Append? Asked(int minutes) => RequestPasswordResetHandler.Handle(Ask with { RequestedAt = Now.AddMinutes(minutes), ExpiresAt = Now.AddMinutes(minutes + 60) }, Account.Fold(history));
    }

    private static readonly ResetPassword Reset = new(Id, 0, Anew, Now);

    [Fact]
    public void whoever_has_the_link_chooses_another_password_and_all_sessions_end()
    {
        object[] history = [Created, Activated, new SignedOutEverywhere(Now)];
        var (append, verdict) = ResetPasswordHandler.Handle(Reset, Account.Fold(history));
        Assert.Equal((Id, 3L), (append!.StreamId, append.ExpectedVersion));
        Assert.Equal([new PasswordChanged(Anew, null, Now)], append.Events);
        Assert.Equal(AccountOutcome.Done, verdict.Outcome);
        Assert.Equal((false, true), (After(append, history).Sessions.Admits(1, Session), After(append, history).Sessions.Admits(2, Session)));
    }

    [Fact]
    public void a_link_is_dead_once_it_or_another_was_used_or_password_or_address_were_replaced_otherwise()
    {
        foreach (var since in new object[] { new PasswordChanged("$other", null, Now), new PasswordChanged("$other", Session, Now), new EmailChanged("Ada@example.org", "ada@new.example", Now) })
        {
            Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Refused)), ResetPasswordHandler.Handle(Reset, Account.Fold([Created, since])));
            Assert.Equal(AccountOutcome.Done, ResetPasswordHandler.Handle(Reset with { Credentials = 1 }, Account.Fold([Created, since])).Item2.Outcome);
        }
        // The same password, hashed anew, is no other one.
        Assert.Equal(AccountOutcome.Done, ResetPasswordHandler.Handle(Reset, Account.Fold([Created, new PasswordRehashed("$dearer", Now)])).Item2.Outcome);
        Assert.Equal(AccountOutcome.Refused, ResetPasswordHandler.Handle(Reset with { PasswordHash = "no hash" }, Account.Fold([Created])).Item2.Outcome);
    }

    [Fact]
    public void of_an_account_that_is_not_there_it_is_said_that_it_is_not()
    {
        foreach (var account in NotThere)
        {
            Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Unknown)), ChangePasswordHandler.Handle(Change, account));
            Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Unknown)), ResetPasswordHandler.Handle(Reset, account));
            Assert.Equal(VerdictOutcome.Invalid, ChangeUsernameHandler.Handle(Rename, account).Item2!.Outcome);
        }
    }

    // The user name

    private static readonly ChangeUsername Rename = new(Id, " Countess ", Now);

    [Fact]
    public void another_user_name_is_proposed_since_it_may_have_to_be_unique()
    {
        var (proposed, verdict) = ChangeUsernameHandler.Handle(Rename, Account.Fold([Created, Activated]));
        Assert.Null(verdict);
        Assert.Equal((Id, 2L, "UsernameChanged"), (proposed!.StreamId, proposed.ExpectedVersion, proposed.Type));
        Assert.Equal(new UsernameChanged("Ada", "Countess", Now), JsonSerializer.Deserialize<UsernameChanged>(proposed.Data, LogJson.Options));
    }

    [Fact]
    public void the_same_wish_is_one_proposal_and_a_later_one_is_another()
    {
        Assert.Equal(IdOf(Rename), IdOf(Rename));
        Assert.Equal(3, new[] { Rename, Rename with { RequestedAt = Now.AddTicks(1) }, Rename with { AccountId = Other } }.Select(IdOf).Distinct().Count());
        // The id is not sealed: nobody can try names by it.
        Assert.Equal(IdOf(Rename), IdOf(Rename with { Username = "Eve" }));

        static Guid IdOf(ChangeUsername command) => ChangeUsernameHandler.Handle(command, Account.Fold([Created])).Item1!.EventId;
    }

    [Fact]
    public void the_name_that_one_has_is_had_at_once() =>
        Assert.Equal((null, new Verdict(Id, Guid.Empty, VerdictOutcome.Accepted, 2, 0, null)), ChangeUsernameHandler.Handle(Rename, Account.Fold([Created, new UsernameChanged("Ada", "Countess", Now)])));

    [Fact]
    public void what_is_no_user_name_is_refused()
    {
        foreach (var bad in new[] { "", " ", new string('x', 65), "A\0da", "A\uD800da" })
            Assert.Equal(VerdictOutcome.Invalid, ChangeUsernameHandler.Handle(Rename with { Username = bad }, Account.Fold([Created])).Item2!.Outcome);
    }

    [Property]
    public Property deciding_again_on_the_resulting_state_yields_no_event() => Prop.ForAll(Histories(), history =>
    {
        var account = Account.Fold(history);
        return new Func<Account, IReadOnlyList<object>>[]
        {
            a => ChangePasswordHandler.Handle(Change, a).Item1?.Events ?? [],
            a => ResetPasswordHandler.Handle(Reset with { Credentials = account.Credentials }, a).Item1?.Events ?? [],
            a => RequestPasswordResetHandler.Handle(Ask, a)?.Events ?? [],
            a => ChangeUsernameHandler.Handle(Rename, a).Item1 is { } proposed ? [JsonSerializer.Deserialize<UsernameChanged>(proposed.Data, LogJson.Options)!] : [],
        }.All(decide => decide(Account.Fold([.. history, .. decide(account)])).Count == 0);
    });

    private static Account After(Append? append, params object[] history) => Account.Fold([.. history, .. append?.Events ?? []]);

    private static Arbitrary<object[]> Histories() => Gen.ArrayOf(Gen.Elements<object>(
        Created, Activated, Ends[0], Ends[1], new EmailChanged("a@b.c", "Ada@example.org", Now), new PasswordRehashed("$dearer", Now), new PasswordChanged("$other", Session, Now), new PasswordChanged(Hash, null, Now),
        new PasswordResetRequested(Now.AddHours(2), Now.AddMinutes(-1)), new PasswordResetRequested(Now, Now.AddHours(-1)), new UsernameChanged("Ada", "Eve", Now), new SignedOut(Session, Now))).ToArbitrary();
}
