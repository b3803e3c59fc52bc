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
using PasswordChanged = Signup.EventLog.Accounts.PasswordChanged;
using SignedInToApplication = Signup.EventLog.Accounts.SignedInToApplication;
using SignedOut = Signup.EventLog.Accounts.SignedOut;
using SignedOutEverywhere = Signup.EventLog.Accounts.SignedOutEverywhere;

namespace Signup.Tests.Unit.Accounts;

public class when_somebody_goes_on_to_an_application
{
    private static readonly Guid Id = Guid.Parse("0193b1c2-0000-7000-8000-000000000001"), Session = Guid.Parse("0193b1c2-0000-7000-8000-000000000002"), Code = Guid.Parse("0193b1c2-0000-7000-8000-000000000003"),
        Request = Guid.Parse("0193b1c2-0000-7000-8000-000000000004"), Another = Guid.Parse("0193b1c2-0000-7000-8000-000000000005");
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly AccountCreated Created = new("Ada", "ada@example.org", "$hash", "en", Now);
    private static readonly AccountActivated Activated = new(Now);
    private static readonly SignInToApplication Command = new(Id, Session, 0, "shop", Code, Request, Now);
    private static readonly SignedInToApplication SignedIn = new("shop", Code, Request, Now);

    private static (Signup.Hosting.Handling.Append? Append, AccountVerdict Verdict) Decide(SignInToApplication command, params object[] history) => SignInToApplicationHandler.Handle(command, Account.Fold(history));

    private static void Refused(SignInToApplication command, params object[] history) => Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Refused)), Decide(command, history));

    [Fact]
    public void the_first_to_come_with_a_code_is_told()
    {
        var (append, verdict) = Decide(Command, Created, Activated);
        Assert.Equal((Id, 2L), (append!.StreamId, append.ExpectedVersion));
        Assert.Equal([SignedIn], append.Events);
        Assert.Equal(new AccountVerdict(Id, AccountOutcome.Done), verdict);
    }

    [Fact]
    public void another_one_with_the_same_code_is_not() => Refused(Command with { RequestId = Another }, Created, Activated, SignedIn);

    [Fact]
    public void the_same_request_once_more_is_told_the_same_whatever_has_happened_since()
    {
        foreach (var since in new object[][] { [], [new SignedOutEverywhere(Now)], [SignedIn with { CodeId = Another, RequestId = Another }] })
            Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Done)), Decide(Command, [Created, Activated, SignedIn, .. since]));
    }

    [Fact]
    public void each_code_is_another_one() => Assert.NotNull(Decide(Command with { CodeId = Another, RequestId = Another }, Created, Activated, SignedIn).Append);

    [Fact]
    public void a_code_of_a_session_that_has_ended_is_of_no_use()
    {
        Refused(Command, Created, Activated, new SignedOut(Session, Now));
        Refused(Command, Created, Activated, new SignedOutEverywhere(Now));
        Refused(Command, Created, Activated, new PasswordChanged("$another", null, Now));
        Assert.NotNull(Decide(Command, Created, Activated, new PasswordChanged("$another", Session, Now)).Append);
        Assert.NotNull(Decide(Command with { Generation = 1 }, Created, Activated, new SignedOutEverywhere(Now)).Append);
        Assert.NotNull(Decide(Command, Created, Activated, new SignedOut(Another, Now)).Append);
    }

    [Fact]
    public void who_has_not_shown_that_the_address_is_theirs_is_nobody_for_others() => Refused(Command, Created);

    [Fact]
    public void of_an_account_that_is_not_there_it_is_said_that_it_is_not()
    {
        foreach (var history in new object[][] { [], [Created, new AccountExpired("ada@example.org", Now)], [Created, Activated, new AccountDeleted("ada@example.org", Now)] })
            Assert.Equal((null, new AccountVerdict(Id, AccountOutcome.Unknown)), Decide(Command, history));
    }

    [Fact]
    public void codes_are_remembered_for_longer_than_they_live_and_not_for_ever()
    {
        var later = SignedIn with { CodeId = Another, RequestId = Another, SignedInAt = Now.AddHours(23) };
        Refused(Command with { RequestId = Another }, Created, Activated, SignedIn, later);
        Assert.Equal([later], Account.Fold([Created, Activated, SignedIn, later with { SignedInAt = Now.AddDays(1) }]).Applications.Select(a => a with { SignedInAt = later.SignedInAt }));
    }

    [Property]
    public Property deciding_again_on_the_resulting_state_yields_no_event_and_the_same_answer() => Prop.ForAll(Histories(), history =>
    {
        var (append, verdict) = Decide(Command, history);
        return Decide(Command, [.. history, .. append?.Events ?? []]) == (null, verdict);
    });

    private static Arbitrary<object[]> Histories() => Gen.ArrayOf(Gen.Elements<object>(
        Created, Activated, new AccountDeleted("ada@example.org", Now), new SignedOut(Session, Now), new SignedOutEverywhere(Now), SignedIn, SignedIn with { RequestId = Another }, SignedIn with { CodeId = Another })).ToArbitrary();
}
