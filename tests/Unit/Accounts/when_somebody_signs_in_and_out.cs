using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Signup.Accounts;
using Signup.EventLog.Accounts;
using Signup.Messages.Accounts;
using AccountActivated = Signup.EventLog.Accounts.AccountActivated;
using AccountCreated = Signup.EventLog.Accounts.AccountCreated;
using AccountDeleted = Signup.EventLog.Accounts.AccountDeleted;
using AccountExpired = Signup.EventLog.Accounts.AccountExpired;
using EmailChanged = Signup.EventLog.Accounts.EmailChanged;
using PasswordRehashed = Signup.EventLog.Accounts.PasswordRehashed;
using SignedOut = Signup.EventLog.Accounts.SignedOut;
using SignedOutEverywhere = Signup.EventLog.Accounts.SignedOutEverywhere;

namespace Signup.Tests.Unit.Accounts;

public class when_somebody_signs_in_and_out
{
    private const string Hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA", Cheaper = "$argon2id$v=19$m=4,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$b2xkZXI";

    private static readonly Guid Id = Guid.Parse("0193b1c2-0000-7000-8000-000000000001"), Session = Guid.Parse("0193b1c2-0000-7000-8000-000000000002");
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly AccountCreated Created = new("Ada", "Ada@example.org", Hash, "en", Now);
    private static readonly AccountActivated Activated = new(Now);
    private static readonly object[] Ends = [new AccountExpired("Ada@example.org", Now), new AccountDeleted("Ada@example.org", Now)];

    [Fact]
    public void address_and_password_open_the_account_and_a_session_of_its_present_generation()
    {
        Assert.Equal((Id, "Ada", "Ada@example.org", AccountStatus.Active, 0), SignIn("Ada@example.org", Hash, Created, Activated));
        Assert.Equal(2, SignIn("Ada@example.org", Hash, Created, Activated, new SignedOutEverywhere(Now), new SignedOutEverywhere(Now))!.Value.Item5);
    }

    [Theory]
    [InlineData("  ada@EXAMPLE.org ")]
    [InlineData("ADA@example.org")]
    public void the_address_is_compared_as_addresses_are(string typed) => Assert.NotNull(SignIn(typed, Hash, Created, Activated));

    [Fact]
    public void who_has_not_proved_the_address_yet_is_let_in_to_be_told_so() => Assert.Equal(AccountStatus.Pending, SignIn("Ada@example.org", Hash, Created)!.Value.Item4);

    [Fact]
    public void whatever_else_is_typed_opens_nothing()
    {
        foreach (var (email, hash) in new[] { ("Ada@example.org", Cheaper), ("Ada@example.org", ""), ("Ada@example.org", null), ("eve@example.org", Hash), ("no address", Hash), (null, Hash), ("Ada@example.org", Hash + "x") })
            Assert.Null(SignIn(email, hash, Created, Activated));
        // Of an address that was given up, or not taken yet.
        Assert.Null(SignIn("Ada@example.org", Hash, Created, Activated, new EmailChanged("Ada@example.org", "ada@new.example", Now)));
        Assert.Null(SignInDoor.Decide(Id, Account.Nobody, new("", "")));
    }

    [Fact]
    public void an_account_that_has_ended_opens_to_nobody_and_tells_no_salt()
    {
        foreach (var end in Ends)
        {
            Assert.Null(SignIn("Ada@example.org", Hash, Created, Activated, end));
            Assert.Null(SignInDoor.SaltOf(Account.Fold([Created, end])));
        }
        Assert.Null(SignInDoor.SaltOf(Account.Nobody));
    }

    [Fact]
    public void the_salt_is_told_and_never_the_hash() => Assert.Equal("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA", SignInDoor.SaltOf(Account.Fold([Created])));

    [Fact]
    public void a_hash_that_was_made_anew_is_the_one_that_counts_and_one_who_was_told_the_former_salt_is_not_sent_away()
    {
        object[] rehashed = [Created, Activated, new PasswordRehashed(Cheaper, Now)];
        Assert.Equal("$argon2id$v=19$m=4,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA", SignInDoor.SaltOf(Account.Fold(rehashed)));
        Assert.NotNull(SignIn("Ada@example.org", Cheaper, rehashed));
        Assert.NotNull(SignIn("Ada@example.org", Hash, rehashed));
        Assert.Null(SignIn("Ada@example.org", "", rehashed));
        // The one before that nobody has been told for long.
        Assert.Null(SignIn("Ada@example.org", Hash, [.. rehashed, new PasswordRehashed("$anew", Now)]));
    }

    [Fact]
    public void a_hash_is_made_anew_where_it_is_still_the_one_that_was_verified()
    {
        var append = RehashPasswordHandler.Handle(new(Id, Hash, Cheaper, Now), Account.Fold([Created, Activated]))!;
        Assert.Equal((Id, 2L), (append.StreamId, append.ExpectedVersion));
        Assert.Equal([new PasswordRehashed(Cheaper, Now)], append.Events);

        Assert.Null(RehashPasswordHandler.Handle(new(Id, "$another", Cheaper, Now), Account.Fold([Created])));
        Assert.Null(RehashPasswordHandler.Handle(new(Id, Hash, "no hash", Now), Account.Fold([Created])));
        Assert.Null(RehashPasswordHandler.Handle(new(Id, "", Cheaper, Now), Account.Nobody));
        Assert.All(Ends, end => Assert.Null(RehashPasswordHandler.Handle(new(Id, Hash, Cheaper, Now), Account.Fold([Created, end]))));
    }

    [Fact]
    public void a_session_that_is_signed_out_ends_and_others_go_on()
    {
        var account = After(SignOutHandler.Handle(new(Id, Session, Now), Account.Fold([Created, Activated])).Item1, Created, Activated);
        Assert.False(account.Sessions.Admits(0, Session));
        Assert.True(account.Sessions.Admits(0, Guid.NewGuid()));
    }

    [Fact]
    public void signing_out_everywhere_ends_all_that_had_begun_and_none_that_begins_after()
    {
        var account = After(SignOutEverywhereHandler.Handle(new(Id, 0, Now), Account.Fold([Created, new SignedOut(Session, Now)])).Item1, Created, new SignedOut(Session, Now));
        Assert.False(account.Sessions.Admits(0, Guid.NewGuid()));
        Assert.True(account.Sessions.Admits(1, Guid.NewGuid()));
        // What ended one by one needs not be known any more.
        Assert.Empty(account.Sessions.Ended);
    }

    [Fact]
    public void a_command_to_sign_out_everywhere_that_comes_late_ends_no_later_session() =>
        Assert.Null(SignOutEverywhereHandler.Handle(new(Id, 0, Now), Account.Fold([Created, new SignedOutEverywhere(Now)])).Item1);

    [Fact]
    public void of_an_account_that_is_not_there_it_is_said_that_it_is_not()
    {
        foreach (var account in Ends.Select(end => Account.Fold([Created, end])).Append(Account.Nobody))
        {
            Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Unknown)), SignOutHandler.Handle(new(Id, Session, Now), account));
            Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Unknown)), SignOutEverywhereHandler.Handle(new(Id, 0, Now), account));
        }
    }

    [Property]
    public Property deciding_again_on_the_resulting_state_yields_no_event() => Prop.ForAll(Histories(), history =>
    {
        var account = Account.Fold(history);
        return new Func<Account, Signup.Hosting.Handling.Append?>[]
        {
            a => SignOutHandler.Handle(new(Id, Session, Now), a).Item1,
            a => SignOutEverywhereHandler.Handle(new(Id, account.Sessions.Generation, Now), a).Item1,
            a => RehashPasswordHandler.Handle(new(Id, account.PasswordHash, "$anew", Now), a),
        }.All(decide => decide(After(decide(account), history)) is null);
    });

    private static Account After(Signup.Hosting.Handling.Append? append, params object[] history) => Account.Fold([.. history, .. append?.Events ?? []]);

    private static Arbitrary<object[]> Histories() => Gen.ArrayOf(Gen.Elements<object>(
        Created, Activated, Ends[0], Ends[1], new EmailChanged("a@b.c", "d@e.f", Now), new PasswordRehashed(Cheaper, Now), new SignedOut(Session, Now), new SignedOut(Id, Now), new SignedOutEverywhere(Now))).ToArbitrary();

    private static (Guid, string, string, AccountStatus, int)? SignIn(string? email, string? hash, params object[] history) =>
        SignInDoor.Decide(Id, Account.Fold(history), new(email, hash)) is { } a ? (a.Id, a.Username, a.Email, a.Status, a.SessionGeneration) : null;
}
