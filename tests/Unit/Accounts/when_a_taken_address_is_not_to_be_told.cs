using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Signup.Accounts;
using Signup.EventLog.Accounts;
using Signup.Hosting.Handling;
using AccountActivated = Signup.EventLog.Accounts.AccountActivated;
using AccountCreated = Signup.EventLog.Accounts.AccountCreated;
using AccountDeleted = Signup.EventLog.Accounts.AccountDeleted;
using AccountExpired = Signup.EventLog.Accounts.AccountExpired;
using EmailChanged = Signup.EventLog.Accounts.EmailChanged;
using EmailChangeRequested = Signup.EventLog.Accounts.EmailChangeRequested;
using SignUp = Signup.Messages.Accounts.SignUp;
using SignUpAttempted = Signup.EventLog.Accounts.SignUpAttempted;

namespace Signup.Tests.Unit.Accounts;

public class when_a_taken_address_is_not_to_be_told
{
    private const string Hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA";

    private static readonly Guid Owner = Guid.Parse("0193b1c2-0000-7000-8000-000000000001"), Stranger = Guid.Parse("0193b1c2-0000-7000-8000-000000000002");
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly AccountCreated Created = new("Ada", "Ada@example.org", Hash, "en", Now);
    private static readonly AccountActivated Activated = new(Now);
    private static readonly SignUp Command = new(Stranger, "Eve", " ada@EXAMPLE.org", Hash, "en", Now, HideTaken: true);

    [Fact]
    public void whoever_has_it_is_told_whether_the_account_is_active_or_not()
    {
        foreach (var history in new object[][] { [Created], [Created, Activated] })
        {
            var append = Handle(Command, history)!;
            Assert.Equal((Owner, (long)history.Length), (append.StreamId, append.ExpectedVersion));
            Assert.Equal([new SignUpAttempted(Now)], append.Events);
        }
    }

    [Fact]
    public void where_it_is_given_up_or_only_wanted_it_is_a_sign_up_as_any_other()
    {
        foreach (var history in new object[][] { [], [Created, new AccountExpired("Ada@example.org", Now)], [Created, new AccountDeleted("Ada@example.org", Now)], [Created, new EmailChanged("Ada@example.org", "ada@new.example", Now)] })
            Assert.Null(SignUpAttemptHandler.OwnerOf(Command, Owner, Account.Fold(history)));
        Assert.Null(SignUpAttemptHandler.OwnerOf(Command with { Email = "ada@new.example" }, Owner, Account.Fold([Created, new EmailChangeRequested("ada@new.example", Now, Now)])));
    }

    [Fact]
    public void however_often_somebody_tries_the_owner_gets_a_few_mails_a_day_and_a_stranger_a_few_at_all()
    {
        var history = new List<object> { Created, Activated };
        for (var n = 0; n < 10; n++)
            if (Tried(n) is { } append) history.AddRange(append.Events);
        Assert.Equal(2 + SignUpAttemptHandler.MostAttempts, history.Count);
        Assert.Null(Tried((24 * 60) - 1));
        Assert.NotNull(Tried(24 * 60));
        // As long as nobody has proved the address.
        history.Remove(Activated);
        Assert.Null(Tried(24 * 60));

        Append? Tried(int minutes) => Handle(Command with { RequestedAt = Now.AddMinutes(minutes) }, [.. history]);
    }

    public static class Minutes
    {
        public static Arbitrary<int[]> Arbitrary() => Gen.Choose(0, 4000).ArrayOf().ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Minutes)])]
    public void a_command_that_comes_again_tells_nobody_again(int[] minutes)
    {
        var history = new List<object> { Created, Activated };
        foreach (var at in minutes.Order())
        {
            var command = Command with { RequestedAt = Now.AddMinutes(at) };
            if (Handle(command, [.. history]) is { } append) history.AddRange(append.Events);
            Assert.Null(Handle(command, [.. history]));
        }
    }

    [Fact]
    public void who_signed_up_is_let_in_once_the_account_is_active()
    {
        var attempt = new SignInDoor.Attempt("ada@example.org", Hash);
        foreach (var (history, isLetIn, isLetInWhereHidden) in new[] { (new object[] { Created }, true, false), ([Created, Activated], true, true), ([Created, Activated, new AccountDeleted("Ada@example.org", Now)], false, false) })
        {
            var account = Account.Fold(history);
            Assert.Equal((isLetIn, isLetInWhereHidden), (SignInDoor.Decide(Owner, account, attempt) is not null, SignInDoor.Decide(Owner, account, attempt with { OnlyActive = true }) is not null));
            Assert.Equal((isLetIn, isLetInWhereHidden), (SignInDoor.SaltOf(account) is not null, SignInDoor.SaltOf(account, onlyActive: true) is not null));
        }
    }

    private static Append? Handle(SignUp command, object[] history) => SignUpAttemptHandler.Handle(command, SignUpAttemptHandler.OwnerOf(command, Owner, Account.Fold(history))!);
}
