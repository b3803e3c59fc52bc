using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Query.Accounts;

namespace Signup.Tests.Unit.Query;

public sealed class folding_an_account
{
    private static readonly Guid Id = Guid.Parse("0193b1a0-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset T = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly AccountCreated Created = new("Zoë", "Zoe@Example.org", "$argon2id$secret", "en", T);

    [Fact]
    public void the_mail_to_an_earlier_address_says_nothing_of_the_one_it_has()
    {
        var changed = new EmailChanged("Zoe@Example.org", "z@example.org", T.AddHours(1));
        object[] moved = [Created, new ActivationMailSent("activation", T), changed];
        Assert.Equal(MailStatus.Queued, Fold(moved)!.Mail);
        Assert.Equal(MailStatus.Queued, Fold([.. moved, new ActivationMailSent("reminder-1", T), new ActivationMailFailed("activation", "x", T)])!.Mail);
        Assert.Equal(new MailStatus(MailState.Sent, 1, "activation~1", T.AddHours(2)), Fold([.. moved, new ActivationMailSent("activation~1", T.AddHours(2))])!.Mail);
        Assert.Equal(MailState.Sent, Fold(Created, new ActivationMailSent("activation", T), new AccountActivated(T), changed)!.Mail.State);
    }

    [Fact]
    public void begins_pending_with_its_mail_queued()
    {
        var account = Fold(Created)!;
        Assert.Equal((Id, 1, "Zoë", "Zoe@Example.org", AccountStatus.Pending, MailStatus.Queued), (account.Id, account.Version, account.Username, account.Email, account.Status, account.Mail));
        Assert.Equal((T, "en", 10), (account.CreatedAt, account.Language, account.Position));
    }

    [Fact]
    public void becomes_active() => Assert.Equal((AccountStatus.Active, T.AddHours(1)), Of(Fold(Created, new AccountActivated(T.AddHours(1))), a => (a.Status, a.ActivatedAt)));

    [Fact]
    public void expires() => Assert.Equal((AccountStatus.Expired, T.AddDays(7)), Of(Fold(Created, new AccountExpired("Zoe@Example.org", T.AddDays(7))), a => (a.Status, a.ExpiredAt)));

    [Fact]
    public void is_deleted() => Assert.Equal((AccountStatus.Deleted, T.AddDays(9)), Of(Fold(Created, new AccountDeleted("Zoe@Example.org", T.AddDays(9))), a => (a.Status, a.DeletedAt)));

    [Fact]
    public void is_forgotten()
    {
        var deleted = new AccountDeleted("Zoe@Example.org", T.AddDays(9), Forgotten: true);
        Assert.Equal((AccountStatus.Deleted, T.AddDays(9), true, "", ""), Of(Fold(Created, deleted), a => (a.Status, a.DeletedAt, a.Forgotten, a.Username, a.Email)));
        Assert.Null(Fold(Created, deleted with { Forgotten = false })!.Forgotten);
    }

    [Fact]
    public void tells_which_sessions_have_ended_before_their_time()
    {
        object[] out_ = [Created, new SignedOut(Id, T), new SignedOut(Id, T)];
        Assert.Null(Fold(Created)!.Sessions);
        Assert.Equal((0, 1, Id), Of(Fold(out_), a => (a.Sessions!.Generation, a.Sessions.Ended.Count, a.Sessions.Ended[0])));
        Assert.Equal((2, 0), Of(Fold([.. out_, new SignedOutEverywhere(T), new SignedOutEverywhere(T)]), a => (a.Sessions!.Generation, a.Sessions.Ended.Count)));
    }

    [Fact]
    public void is_called_something_else() => Assert.Equal(("Countess", 2L), Of(Fold(Created, new UsernameChanged("Zoë", "Countess", T)), a => (a.Username, a.Version)));

    [Fact]
    public void tells_that_a_new_password_has_ended_all_sessions_but_one()
    {
        var sessions = Fold(Created, new SignedOut(Id, T), new PasswordChanged("$x", Id, T))!.Sessions!;
        Assert.Equal((1, 0, Id), (sessions.Generation, sessions.Ended.Count, sessions.Kept));
        Assert.DoesNotContain("$x", Fold(Created, new PasswordChanged("$x", null, T))!.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void takes_another_address() =>
        Assert.Equal(("z@example.org", T.AddDays(1), AccountStatus.Pending), Of(Fold(Created, new EmailChanged("Zoe@Example.org", "z@example.org", T.AddDays(1))), a => (a.Email, a.EmailChangedAt, a.Status)));

    [Fact]
    public void tells_that_a_mail_was_sent_and_how_many_were() =>
        Assert.Equal(new MailStatus(MailState.Sent, 2, "reminder-1", T.AddDays(1)),
            Fold(Created, new ActivationMailSent("activation", T), new ActivationMailSent("reminder-1", T.AddDays(1)))!.Mail);

    [Fact]
    public void tells_that_a_mail_was_refused_and_forgets_it_with_the_next_that_was_not()
    {
        object[] refused = [Created, new ActivationMailSent("activation", T), new ActivationMailFailed("reminder-1", "mailbox-unavailable", T.AddDays(1))];
        Assert.Equal(new MailStatus(MailState.Failed, 1, "reminder-1", T, T.AddDays(1), "mailbox-unavailable"), Fold(refused)!.Mail);
        Assert.Equal(new MailStatus(MailState.Sent, 2, "resend-1", T.AddDays(2)), Fold([.. refused, new ActivationMailSent("resend-1", T.AddDays(2))])!.Mail);
    }

    [Fact]
    public void tells_that_a_mail_arrived()
    {
        object[] arrived = [Created, new ActivationMailSent("activation", T), new MailDelivered("activation", T.AddMinutes(1))];
        Assert.Equal(new MailStatus(MailState.Sent, 1, "activation", T, DeliveredAt: T.AddMinutes(1)), Fold(arrived)!.Mail);
        Assert.Null(Fold([.. arrived, new ActivationMailSent("reminder-1", T.AddDays(1))])!.Mail.DeliveredAt);
        Assert.Equal(MailState.Sent, Fold(Created, new ActivationMailFailed("activation", "unconfirmed", T), arrived[2])!.Mail.State);
    }

    [Fact]
    public void tells_that_a_mail_came_back_and_forgets_it_with_the_next()
    {
        var cameBack = new MailStatus(MailState.Bounced, 1, "activation", T, T.AddHours(1), "mailbox-full");
        object[] bounced = [Created, new ActivationMailSent("activation", T), new MailBounced("activation", "mailbox-full", T.AddHours(1))];
        Assert.Equal(cameBack, Fold(bounced)!.Mail);
        Assert.Equal(MailState.Sent, Fold([.. bounced, new ActivationMailSent("resend-1", T.AddHours(2))])!.Mail.State);
        // Providers say it in any order, and may be faster than whoever notes that the mail was sent.
        Assert.Equal(cameBack, Fold([.. bounced, new MailDelivered("activation", T.AddMinutes(1))])!.Mail);
        Assert.Equal(cameBack, Fold(Created, bounced[1], new MailDelivered("activation", T.AddMinutes(1)), bounced[2])!.Mail);
        Assert.Equal(cameBack, Fold(Created, bounced[2], bounced[1])!.Mail);
    }

    [Fact]
    public void does_not_take_the_fate_of_one_mail_for_that_of_the_next()
    {
        var next = Fold(Created, new ActivationMailSent("activation", T), new ActivationMailSent("resend-1", T.AddHours(1)))!.Mail;
        Assert.Equal(next, Fold(Created, new ActivationMailSent("activation", T), new ActivationMailSent("resend-1", T.AddHours(1)), new MailBounced("activation", "x", T.AddHours(2)), new MailDelivered("activation", T))!.Mail);
        var changed = new EmailChanged("Zoe@Example.org", "z@example.org", T.AddHours(1));
        Assert.Equal(MailStatus.Queued, Fold(Created, new ActivationMailSent("activation", T), changed, new MailBounced("activation", "x", T), new MailComplained("activation", T), new MailBounced("email-changed-3", "x", T))!.Mail);
    }

    [Fact]
    public void tells_that_mail_was_not_wanted_until_the_address_changes()
    {
        object[] unwanted = [Created, new ActivationMailSent("activation", T), new ActivationMailSent("resend-1", T), new MailComplained("activation", T.AddHours(1))];
        Assert.Equal((MailState.Complained, T.AddHours(1)), Of(Fold([.. unwanted, new ActivationMailSent("resend-2", T), new MailBounced("resend-2", "x", T), new MailDelivered("resend-2", T)]), a => (a.Mail.State, a.Mail.FailedAt)));
        Assert.Equal(MailStatus.Queued, Fold([.. unwanted, new EmailChanged("Zoe@Example.org", "z@example.org", T.AddHours(2))])!.Mail);
    }

    [Fact]
    public void never_holds_the_password_hash() => Assert.DoesNotContain("secret", Fold(Created)!.ToJson(), StringComparison.Ordinal);

    [Fact]
    public void keeps_count_of_kinds_of_events_that_it_does_not_know()
    {
        var account = AccountDocument.Fold([.. Log(Created), new LoggedEvent(20, Id, 2, Guid.NewGuid(), "SomethingNew", "{}", T)])!;
        Assert.Equal((2, 20, AccountStatus.Pending), (account.Version, account.Position, account.Status));
    }

    [Fact]
    public void marks_an_event_whose_json_does_not_fit_and_goes_on()
    {
        var account = AccountDocument.Fold([.. Log(Created), new LoggedEvent(20, Id, 2, Guid.NewGuid(), "AccountActivated", """{"activatedAt":"soon"}""", T)])!;
        Assert.Equal([2], account.Unreadable!);
        Assert.Equal(AccountStatus.Pending, account.Status);
    }

    [Fact]
    public void of_a_stream_that_is_no_account_is_nothing() =>
        Assert.Null(AccountDocument.Fold([new LoggedEvent(1, Id, 1, Guid.NewGuid(), "SomethingElse", "{}", T)]));

    [Fact]
    public void is_written_in_camel_case_with_names_for_states()
    {
        var json = JsonDocument.Parse(Fold(Created, new AccountActivated(T))!.ToJson()).RootElement;
        Assert.Equal("active", json.GetProperty("status").GetString());
        Assert.Equal("queued", json.GetProperty("mail").GetProperty("state").GetString());
        Assert.Equal(2, json.GetProperty("version").GetInt64());
        Assert.Equal(T, json.GetProperty("activatedAt").GetDateTimeOffset());
    }

    [Fact]
    public void sees_a_gap_only_where_a_known_event_does_not_follow()
    {
        var events = Log(Created, new ActivationMailSent("activation", T), new AccountActivated(T));
        var account = AccountDocument.Fold(events[..1]);
        Assert.False(AccountDocument.LeavesGap(null, events[0]));
        Assert.False(AccountDocument.LeavesGap(account, events[0]));
        Assert.False(AccountDocument.LeavesGap(account, events[1]));
        Assert.True(AccountDocument.LeavesGap(account, events[2]));
        Assert.True(AccountDocument.LeavesGap(null, events[2]));
        Assert.False(AccountDocument.LeavesGap(null, events[2] with { Type = "SomethingElse" }));
    }

    [Property]
    public Property gives_the_same_after_repetitions_and_when_stored_in_between()
    {
        var happenings = Gen.Elements<object>(new AccountActivated(T.AddHours(1)), new EmailChanged("a@b.c", "d@e.f", T), new ActivationMailSent("activation", T),
            new ActivationMailFailed("activation", "x", T), new MailDelivered("activation", T), new MailBounced("activation", "x", T), new MailComplained("activation", T), new AccountExpired("a@b.c", T), new AccountDeleted("a@b.c", T)).ListOf();
        return Prop.ForAll(happenings.ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (events, seed) =>
        {
            var log = Log([Created, .. events]);
            var random = new Random(seed);
            AccountDocument? account = null;
            foreach (var e in log)
            {
                account = AccountDocument.Next(account, e);
                // Some of what came before comes again.
                foreach (var old in log.Where(o => o.Version <= e.Version && random.Next(3) == 0)) account = AccountDocument.Next(account, old);
                if (random.Next(2) == 0) account = AccountDocument.Parse(account!.ToJson());
            }
            return account!.ToJson() == AccountDocument.Fold(log)!.ToJson() && account.Version == log.Count;
        });
    }

    private static AccountDocument? Fold(params object[] events) => AccountDocument.Fold(Log(events));

    private static T2 Of<T2>(AccountDocument? account, Func<AccountDocument, T2> part) => part(account!);

    private static List<LoggedEvent> Log(params object[] events) =>
        [.. events.Select((e, i) => new LoggedEvent(10 + i, Id, i + 1, Guid.NewGuid(), EventTypes.Of(e).Name, JsonSerializer.Serialize(e, e.GetType(), LogJson.Options), T.AddMinutes(i)))];
}
