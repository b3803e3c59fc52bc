using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Signup.Accounts;
using Signup.Messages.Mail;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Unit.Accounts;

public sealed class when_a_provider_tells_of_a_mail
{
    private static readonly Guid Id = Guid.Parse("0193b1c2-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly Stored.AccountCreated Created = new("Ada", "ada@example.org", "$argon2id$x", "en", Now);
    private static readonly RecordMailEvent Bounced = new(Id, "activation", MailEvent.Bounced, "mailbox-full", Now);

    private static IReadOnlyList<object> Decide(RecordMailEvent command, params IReadOnlyList<object> history) => RecordMailEventHandler.Handle(command, new MailHistory(history))?.Events ?? [];

    [Fact]
    public void each_kind_becomes_a_fact()
    {
        Assert.Equal([new Stored.MailDelivered("activation", Now)], Decide(Bounced with { Event = MailEvent.Delivered, Reason = null }, Created));
        Assert.Equal([new Stored.MailBounced("activation", "mailbox-full", Now)], Decide(Bounced, Created));
        Assert.Equal([new Stored.MailComplained("activation", Now)], Decide(Bounced with { Event = MailEvent.Complained, Reason = null }, Created));
    }

    [Fact]
    public void it_follows_on_all_that_is_in_the_log() =>
        Assert.Equal((Id, 2), RecordMailEventHandler.Handle(Bounced, new MailHistory([Created, new Stored.ActivationMailSent("activation", Now)])) is { } append ? (append.StreamId, append.ExpectedVersion) : default);

    [Fact]
    public void what_is_known_is_not_known_twice_whenever_it_is_said_to_have_happened()
    {
        Assert.Empty(Decide(Bounced with { At = Now.AddDays(1), Reason = null }, Created, new Stored.MailBounced("activation", "mailbox-full", Now)));
        Assert.Single(Decide(Bounced with { Purpose = "resend-1" }, Created, new Stored.MailBounced("activation", "mailbox-full", Now)));
        Assert.Single(Decide(Bounced, Created, new Stored.MailDelivered("activation", Now)));
    }

    [Fact]
    public void it_is_told_after_the_accounts_end_too() => Assert.Single(Decide(Bounced, Created, new Stored.AccountDeleted("ada@example.org", Now)));

    [Fact]
    public void of_an_account_that_is_not_there_nothing_is_known()
    {
        Assert.Empty(Decide(Bounced));
        Assert.Empty(Decide(Bounced, new Signup.EventLog.Operations.MessageDiscarded(Id, Id, "SignUp", "accounts", "ada", "", Now)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Activation")]
    [InlineData("activation of ada@example.org")]
    [InlineData("activation~")]
    public void a_name_that_no_mail_has_is_none(string purpose) => Assert.Empty(Decide(Bounced with { Purpose = purpose }, Created));

    [Theory]
    [InlineData(null)]
    [InlineData("550 5.1.1 <ada@example.org>: no such user")]
    [InlineData("mailbox-full\n")]
    public void a_reason_that_may_quote_an_address_is_not_kept(string? reason) =>
        Assert.Equal([new Stored.MailBounced("activation", "bounced", Now)], Decide(Bounced with { Reason = reason }, Created));

    [Property]
    public Property deciding_again_on_the_resulting_state_yields_no_event() => Prop.ForAll(
        Gen.ArrayOf(Gen.Elements<object>(new Stored.ActivationMailSent("activation", Now), new Stored.MailDelivered("activation", Now), new Stored.MailBounced("activation", "x", Now), new Stored.MailComplained("resend-1", Now))).ToArbitrary(),
        Gen.Elements(MailEvent.Delivered, MailEvent.Bounced, MailEvent.Complained).ToArbitrary(),
        (history, kind) =>
        {
            var command = Bounced with { Event = kind };
            object[] all = [Created, .. history];
            return Decide(command, [.. all, .. Decide(command, all)]).Count == 0;
        });
}
