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
using PasswordChanged = Signup.EventLog.Accounts.PasswordChanged;
using PasswordRehashed = Signup.EventLog.Accounts.PasswordRehashed;

namespace Signup.Tests.Unit.Accounts;

public class when_somebody_leaves
{
    private const string Hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$cHJlc2VudA", Wrong = "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$b3RoZXI", Renewed = "$argon2id$v=19$m=16,t=1,p=1$c2FsdA$cmVuZXdlZA";

    private static readonly Guid Id = Guid.Parse("0193b1c2-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly AccountCreated Created = new("Ada", "Ada@example.org", Hash, "en", Now);
    private static readonly AccountActivated Activated = new(Now);
    private static readonly AccountDeleted Deleted = new("Ada@example.org", Now);
    private static readonly EmailChanged Changed = new("Ada@example.org", "ada@new.example", Now);

    private static readonly DeleteAccount Leave = new(Id, Hash, Now);

    private static (ProposeEvent? Proposed, Verdict? Verdict) Decide(DeleteAccount command, params object[] history) => DeleteAccountHandler.Handle(command, Account.Fold(history));

    private static AccountDeleted? Read(ProposeEvent? proposed) => proposed is null ? null : JsonSerializer.Deserialize<AccountDeleted>(proposed.Data, LogJson.Options);

    [Fact]
    public void the_account_s_end_is_proposed_since_it_frees_the_address()
    {
        var (proposed, verdict) = Decide(Leave, Created, Activated);
        Assert.Null(verdict);
        Assert.Equal((Id, 2L, "AccountDeleted", Deleted), (proposed!.StreamId, proposed.ExpectedVersion, proposed.Type, Read(proposed)));
    }

    [Fact]
    public void who_wants_to_be_forgotten_is_and_nobody_else()
    {
        Assert.Equal((false, true), (Read(Decide(Leave, Created, Activated).Proposed)!.Forgotten, Read(Decide(Leave with { Forget = true }, Created, Activated).Proposed)!.Forgotten));
        // Not by saying so when the account is gone: that would be said to be done, and is not.
        Assert.Equal(VerdictOutcome.Refused, Decide(Leave with { Forget = true }, Created, Activated, Deleted).Verdict!.Outcome);
        Assert.Equal(VerdictOutcome.Accepted, Decide(Leave with { Forget = true }, Created, Activated, Deleted with { Forgotten = true }).Verdict!.Outcome);
        Assert.Equal(VerdictOutcome.Accepted, Decide(Leave, Created, Activated, Deleted with { Forgotten = true }).Verdict!.Outcome);
    }

    /// <summary>What is read of one who was forgotten.</summary>
    [Fact]
    public void one_who_was_forgotten_has_no_name_no_address_and_no_password()
    {
        var account = Account.Fold([Created with { Username = "", Email = "", PasswordHash = "" }, Activated, new AccountDeleted("", Now, Forgotten: true)]);
        Assert.Equal((AccountStatus.Deleted, true, "", ""), (account.Status, account.Forgotten, account.Username, account.Email));
        Assert.False(account.HasPassword(""));
    }

    [Fact]
    public void an_account_that_is_not_active_stays_so_that_nobody_has_mails_sent_to_a_stranger_over_and_over() => Assert.Equal(VerdictOutcome.Invalid, Decide(Leave, Created).Verdict!.Outcome);

    [Fact]
    public void the_address_that_it_frees_is_the_one_that_the_account_has() => Assert.Equal("ada@new.example", Read(Decide(Leave, Created, Activated, Changed).Proposed)!.Email);

    [Fact]
    public void who_does_not_know_the_password_that_it_has_by_then_deletes_nothing()
    {
        Assert.Equal(VerdictOutcome.Refused, Decide(Leave with { Verified = Wrong }, Created, Activated).Verdict!.Outcome);
        Assert.Equal(VerdictOutcome.Refused, Decide(Leave, Created, Activated, new PasswordChanged(Wrong, null, Now)).Verdict!.Outcome);
        // The same one, hashed anew while it was typed.
        Assert.NotNull(Decide(Leave, Created, Activated, new PasswordRehashed(Renewed, Now)).Proposed);
    }

    [Fact]
    public void whoever_asks_again_is_answered_as_before()
    {
        var (proposed, verdict) = Decide(Leave, Created, Activated, Deleted);
        Assert.Equal((null, VerdictOutcome.Accepted, 3L), (proposed, verdict!.Outcome, verdict.Version));
    }

    [Fact]
    public void what_is_not_there_cannot_be_deleted()
    {
        Assert.Equal(VerdictOutcome.Refused, Decide(Leave).Verdict!.Outcome);
        Assert.Equal(VerdictOutcome.Refused, Decide(Leave, Created, new AccountExpired("Ada@example.org", Now)).Verdict!.Outcome);
    }

    [Fact]
    public void the_same_wish_is_one_proposal_and_a_later_one_is_another()
    {
        Assert.Equal(IdOf(Leave), IdOf(Leave));
        Assert.Equal(3, new[] { Leave, Leave with { RequestedAt = Now.AddTicks(1) }, Leave with { AccountId = Guid.Empty } }.Select(IdOf).Distinct().Count());

        static Guid IdOf(DeleteAccount command) => Decide(command, Created, Activated).Proposed!.EventId;
    }

    [Property]
    public Property deciding_again_on_the_resulting_state_yields_no_event() => Prop.ForAll(Histories(), history =>
        new[] { Leave, Leave with { Forget = true } }.All(leave => Read(Decide(leave, history).Proposed) is not { } e || Decide(leave, [.. history, e]).Proposed is null));

    private static Arbitrary<object[]> Histories() => Gen.ArrayOf(Gen.Elements<object>(
        Created, Activated, Deleted, Changed, new AccountExpired("Ada@example.org", Now), new PasswordChanged(Wrong, null, Now), new PasswordChanged(Hash, null, Now), new PasswordRehashed(Renewed, Now))).ToArbitrary();
}
