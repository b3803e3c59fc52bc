using Signup.EventLog.Accounts;
using Signup.Mail;
using static Signup.Tests.Unit.Mail.Given;
using ResendOutcome = Signup.Messages.Mail.ResendOutcome;

namespace Signup.Tests.Unit.Mail.activation_policy;

public sealed class when_an_account_is_created
{
    [Fact]
    public void its_mail_is_due_at_once() => Assert.Equal(new Due(Start, "activation"), SignedUp().Due);

    [Fact]
    public void a_second_start_changes_nothing()
    {
        var given = MailSent();
        var before = given.State;
        Assert.Same(before, given.Heard(Created).State);
    }
}

public sealed class when_an_account_ends
{
    public static readonly TheoryData<object> Ends = new(Given.Ends);

    [Theory, MemberData(nameof(Ends))]
    public void nothing_is_left_of_it(object end)
    {
        Assert.Null(SignedUp().Heard(end).State);
        Assert.Null(MailSent().Heard(end).State);
    }

    [Fact]
    public void a_mail_that_was_under_way_leaves_no_trace()
    {
        var given = SignedUp().Heard(Given.Ends[0]).After((p, s) => p.Sent(s, "activation", Start.AddMinutes(1)));
        Assert.Null(given.State);
        Assert.Empty(given.Facts);
    }
}

public sealed class when_a_mail_comes_back
{
    private static readonly MailBounced Bounced = new("activation", "mailbox-unavailable", Start.AddHours(1));
    private static readonly MailComplained Complained = new("activation", Start.AddHours(1));

    [Fact]
    public void no_reminder_follows_and_the_account_expires_when_it_would_have()
    {
        var given = MailSent();
        var expires = given.State!.LinkExpires!.Value;
        Assert.Equal(new Due(expires, null), given.Heard(Bounced).Due);
    }

    [Fact]
    public void it_is_sent_again_to_whoever_asks_for_it_and_then_reminders_follow()
    {
        var given = MailSent().Heard(Bounced).After((p, s) => p.Resend(s, Start.AddHours(2)));
        Assert.Equal(new Due(Start.AddHours(2), "resend-1"), given.Due);
        given.After((p, s) => p.Sent(s, "resend-1", Start.AddHours(2)));
        Assert.Equal("reminder-1", given.Due.Purpose);
    }

    [Fact]
    public void before_it_is_known_that_it_was_sent_it_counts_as_refused_and_is_not_sent_again()
    {
        var given = SignedUp().Heard(Bounced);
        Assert.Equal((ActivationStatus.Failed, (string?)null), (given.State!.Status, given.Due.Purpose));
        var before = given.State;
        Assert.Same(before, given.After((p, s) => p.Sent(s, "activation", Start.AddHours(2))).State);
        Assert.Empty(given.Facts);
    }

    [Fact]
    public void one_to_an_earlier_address_says_nothing_of_this_one()
    {
        var given = MailSent().Heard(Changed).After((p, s) => p.Sent(s, "activation~1", Start.AddHours(4)));
        var before = given.State;
        Assert.Same(before, given.Heard(Bounced, Complained, new MailBounced("email-changed-2", "mailbox-unavailable", Start.AddHours(4))).State);
    }

    [Fact]
    public void one_that_arrived_changes_nothing()
    {
        var given = MailSent();
        var before = given.State;
        Assert.Same(before, given.Heard(new MailDelivered("activation", Start.AddHours(1))).State);
    }

    [Fact]
    public void where_it_was_not_wanted_none_follows_whoever_asks_for_it()
    {
        foreach (var given in new[] { MailSent().Heard(Complained), SignedUp().Heard(Complained), MailSent().After((p, s) => p.Resend(s, Start.AddMinutes(30))).Heard(Complained) })
        {
            Assert.Null(given.Due.Purpose);
            var before = given.State;
            Assert.Same(before, given.After((p, s) => p.Resend(s, Start.AddHours(2))).State);
            // What was under way, or is told late.
            Assert.Same(before, given.Heard(Bounced, new MailBounced("resend-2", "mailbox-full", Start.AddHours(2)), new ActivationMailSent("resend-2", Start.AddHours(2))).State);
        }
    }

    [Fact]
    public void another_address_begins_anew() => Assert.Equal(new Due(Changed.ChangedAt, "activation~1"), MailSent().Heard(Complained, Changed).Due);
}

public sealed class when_the_address_changes
{
    [Fact]
    public void the_new_address_gets_a_mail_of_its_own()
    {
        var given = MailSent().Heard(Changed);
        Assert.Equal(("ada@new.example", 1, new Due(Changed.ChangedAt, "activation~1")), (given.State!.Email, given.State.AddressChanges, given.Due));
        given.After((p, s) => p.Sent(s, "activation~1", Start.AddHours(4)));
        Assert.Equal(new Due(Start.AddHours(4).AddDays(1), "reminder-1~1"), given.Due);
    }

    [Fact]
    public void its_link_lives_as_long_as_the_first_did() =>
        Assert.Equal(Changed.ChangedAt.AddDays(7), MailSent().Heard(Changed).After((p, s) => p.Sent(s, "activation~1", Start.AddHours(4))).State!.LinkExpires);

    [Fact]
    public void a_mail_that_was_under_way_to_the_old_one_does_not_count()
    {
        var given = SignedUp().Heard(Changed);
        var before = given.State;
        Assert.Same(before, given.After((p, s) => p.Sent(s, "activation", Start.AddHours(4))).State);
        Assert.Same(before, given.Heard(new ActivationMailSent("activation", Start.AddHours(4)), new ActivationMailSent("resend-1", Start.AddHours(4)), new ActivationMailFailed("activation", "mailbox-full", Start.AddHours(4))).State);
        Assert.Empty(given.Facts);
    }

    [Fact]
    public void one_that_could_not_be_reached_is_forgotten() =>
        Assert.Equal(new Due(Changed.ChangedAt, "activation~1"), SignedUp().After((p, s) => p.Refused(s, "activation", "mailbox-unavailable", Start.AddMinutes(1))).Heard(Changed).Due);

    [Fact]
    public void the_user_cannot_have_more_mails_in_a_day_by_it()
    {
        var given = MailSent();
        for (var i = 0; i < 5; i++)
            given.After((p, s) => p.Resend(s, Start.AddMinutes(10 * (i + 1)))).After((p, s) => p.Sent(s, p.WhatIsDue(s!).Purpose!, Start.AddMinutes((10 * (i + 1)) + 1)));
        given.Heard(Changed).After((p, s) => p.Sent(s, "activation~1", Start.AddHours(4)));
        Assert.False(given.After((p, s) => p.Resend(s, Start.AddHours(5))).State!.ResendDue);
        Assert.True(given.After((p, s) => p.Resend(s, Start.AddHours(26))).State!.ResendDue);
    }

    [Theory, MemberData(nameof(when_an_account_ends.Ends), MemberType = typeof(when_an_account_ends))]
    public void of_an_account_that_is_not_pending_nothing_begins(object end) => Assert.Null(MailSent().Heard(end, Changed).State);

    // The notice to the old address

    private static readonly Guid Event = Guid.NewGuid();

    private static Activation? Tell(DateTimeOffset now, params object[] history) => Tell(Changed, now, history);

    /// <summary>Of the account's second event.</summary>
    private static Activation? Tell(object e, DateTimeOffset now, params object[] history) =>
        ActivationPolicy.Tell(Given.Account, e, Event, 2, [.. new[] { Created, e }.Concat(history).Select((h, n) => (n + 1L, h))], now).SingleOrDefault();

    private static Given Told() => new Given().After(_ => new Decision(Tell(Start.AddHours(3))));

    [Fact]
    public void the_old_one_is_told_at_once_whatever_the_account_is()
    {
        var notice = Tell(Start.AddHours(3), new AccountDeleted("ada@new.example", Start.AddHours(4)))!;
        Assert.Equal(("ada@example.com", "Ada", "en", Event, Given.Account), (notice.Email, notice.Username, notice.Language, notice.Id, notice.AccountId));
        Assert.Equal(new Due(Changed.ChangedAt, "email-changed-2"), Told().Due);
    }

    [Fact]
    public void it_is_told_once()
    {
        var given = Told().After((p, s) => p.Sent(s, "email-changed-2", Start.AddHours(4)));
        Assert.Null(given.State);
        Assert.Equal([new MailSent("email-changed-2", Start.AddHours(4))], given.Facts);
        Assert.Null(Tell(Start.AddHours(4), [.. given.Facts]));
        Assert.NotNull(Tell(Start.AddHours(4), new MailSent("email-changed-5", Start.AddHours(4))));
        // The name of a mail to a later address had no number of it once.
        EmailChanged next = new("ada@new.example", "ada@third.example", Start.AddHours(4));
        Assert.NotNull(Again());
        Assert.Null(Again(new MailSent("email-changed-3", Start.AddHours(4))));
        Assert.Null(Again(new MailSent("email-changed-3~1", Start.AddHours(4))));

        Activation? Again(params object[] since) => ActivationPolicy.Tell(Given.Account, next, Event, 3, [.. new object[] { Created, Changed, next }.Concat(since).Select((h, n) => (n + 1L, h))], Start.AddHours(4)).SingleOrDefault();
    }

    [Fact]
    public void one_that_cannot_be_told_is_given_up()
    {
        var given = Told().After((p, s) => p.Refused(s, "email-changed-2", "mailbox-unavailable", Start.AddHours(4)));
        Assert.Null(given.State);
        Assert.Equal([new MailFailed("email-changed-2", "mailbox-unavailable", Start.AddHours(4))], given.Facts);
        Assert.Null(Tell(Start.AddHours(4), [.. given.Facts]));
    }

    [Fact]
    public void one_that_mails_came_back_from_or_that_wants_none_is_not_told()
    {
        Assert.Null(Tell(Start.AddHours(3), new MailBounced("activation", "mailbox-unavailable", Start.AddHours(2))));
        Assert.Null(Tell(Start.AddHours(3), new MailComplained("reminder-1", Start.AddHours(2))));
        Assert.NotNull(Tell(Start.AddHours(3), new MailDelivered("activation", Start.AddHours(2)), new MailBounced("activation~1", "mailbox-unavailable", Start.AddHours(4))));
    }

    [Fact]
    public void one_that_cannot_be_told_now_is_told_later()
    {
        var given = Told().After((p, s) => p.PutOff(s, "email-changed-2", ours: false, Start.AddHours(4)));
        Assert.Equal("email-changed-2", given.Due.Purpose);
        Assert.InRange(given.Due.At - Start.AddHours(4), TimeSpan.FromSeconds(48), TimeSpan.FromSeconds(72));
    }

    // Other mails that an event gives cause for

    private static readonly PasswordResetRequested Asked = new(Start.AddHours(4), Start.AddHours(3));

    private static readonly PasswordChanged NewPassword = new("$new", null, Start.AddHours(3));

    [Fact]
    public void a_link_to_choose_another_password_goes_to_the_present_address_and_is_for_the_present_password()
    {
        var mail = ActivationPolicy.Tell(Given.Account, Asked, Event, 5, [(1, Created), (2, Changed), (3, new UsernameChanged("Ada", "Countess", Start)), (4, NewPassword), (5, Asked)], Start.AddHours(3)).Single();
        Assert.Equal(("ada@new.example", "Countess", "en", Event, "password-reset-5~1"), (mail.Email, mail.Username, mail.Language, mail.Id, mail.Notice!.Purpose));
        Assert.Equal((Asked.ExpiresAt, 2), (mail.LinkExpires, mail.Generation));
        Assert.Equal(new Due(Asked.RequestedAt, "password-reset-5~1"), new ActivationPolicy(Defaults).WhatIsDue(mail));
    }

    [Fact]
    public void a_link_that_is_dead_is_not_sent()
    {
        Assert.NotNull(Tell(Asked, Start.AddHours(3), new MailBounced("activation", "mailbox-full", Start)));
        Assert.Null(Tell(Asked, Asked.ExpiresAt));
        foreach (var later in new object[] { NewPassword, Changed, new AccountDeleted("ada@example.com", Start), new AccountExpired("ada@example.com", Start), new MailSent("password-reset-2", Start), new MailFailed("password-reset-2", "x", Start) })
            Assert.Null(Tell(Asked, Start.AddHours(3), later));
    }

    [Fact]
    public void one_that_dies_before_the_provider_takes_it_is_given_up()
    {
        var given = new Given().After(_ => new Decision(Tell(Asked, Start.AddHours(3)))).After((p, s) => p.PutOff(s, "password-reset-2", ours: false, Start.AddHours(3)));
        Assert.False(ActivationPolicy.IsTooLate(given.State!, Asked.ExpiresAt.AddTicks(-1)));
        Assert.True(ActivationPolicy.IsTooLate(given.State!, Asked.ExpiresAt));
        given.After((p, s) => p.Refused(s, "password-reset-2", ActivationPolicy.TooLate, Asked.ExpiresAt));
        Assert.Null(given.State);
        Assert.Equal([new MailFailed("password-reset-2", "too-late", Asked.ExpiresAt)], given.Facts);
        // No other mail is ever too late.
        Assert.False(ActivationPolicy.IsTooLate(MailSent().State!, Start.AddYears(1)));
        Assert.False(ActivationPolicy.IsTooLate(Told().State!, Start.AddYears(1)));
    }

    [Fact]
    public void that_the_password_was_changed_is_told_once_at_the_present_address_where_mails_arrive()
    {
        var notice = Tell(Start.AddHours(3), new AccountDeleted("ada@example.com", Start))!;
        Assert.Equal(("ada@example.com", "Ada", "password-changed-3", null), (notice.Email, notice.Username, notice.Notice!.Purpose, notice.LinkExpires));
        Assert.Null(Tell(NewPassword.ChangedAt.AddDays(8)));
        foreach (var said in new object[] { new MailSent("password-changed-3", Start), new MailFailed("password-changed-3", "x", Start), new MailBounced("activation", "x", Start), new MailComplained("reminder-1", Start) })
            Assert.Null(Tell(Start.AddHours(3), said));
        Assert.NotNull(Tell(Start.AddHours(3), new MailSent("password-reset-3", Start), new MailBounced("activation~1", "x", Start)));

        static Activation? Tell(DateTimeOffset now, params object[] history) =>
            ActivationPolicy.Tell(Given.Account, NewPassword, Event, 3, [.. new[] { Created, Ends[0], NewPassword }.Concat(history).Select((h, n) => (n + 1L, h))], now).SingleOrDefault();
    }

    [Fact]
    public void it_is_not_told_where_nobody_has_proved_the_address() => Assert.Null(Tell(NewPassword, Start.AddHours(3)));

    [Fact]
    public void that_the_account_is_deleted_is_told_once_at_the_address_that_it_had_where_somebody_has_proved_it_and_mails_arrive()
    {
        var deleted = new AccountDeleted("ada@new.example", Start.AddHours(3));
        var notice = Tell([Ends[0], Changed, deleted])!;
        Assert.Equal(("ada@new.example", "Ada", "en", "account-deleted-4~1", null), (notice.Email, notice.Username, notice.Language, notice.Notice!.Purpose, notice.LinkExpires));
        Assert.Null(Tell([Changed, deleted]));
        Assert.Null(Tell([Ends[0], Changed, deleted], days: 8));
        foreach (var said in new object[] { new MailSent("account-deleted-4~1", Start), new MailFailed("account-deleted-4~1", "x", Start), new MailBounced("email-changed-3~1", "x", Start), new MailComplained("resend-1~1", Start) })
            Assert.Null(Tell([Ends[0], Changed, deleted, said]));
        // Of another address.
        Assert.NotNull(Tell([Ends[0], Changed, deleted, new MailBounced("activation", "x", Start)]));

        Activation? Tell(object[] history, int days = 0) =>
            ActivationPolicy.Tell(Given.Account, deleted, Event, Array.IndexOf(history, deleted) + 2, [.. history.Prepend(Created).Select((h, n) => (n + 1L, h))], Start.AddHours(3).AddDays(days)).SingleOrDefault();
    }

    /// <summary>Mail was derived anew, or was away for so long.</summary>
    [Fact]
    public void who_was_forgotten_before_it_was_noted_to_whom_it_goes_gets_no_mail()
    {
        var deleted = new AccountDeleted("", Start.AddHours(3), Forgotten: true);
        var created = Assert.IsType<AccountCreated>(Created) with { Username = "", Email = "" };
        Assert.Empty(ActivationPolicy.Tell(Given.Account, deleted, Event, 3, [(1L, created), (2L, Ends[0]), (3L, deleted)], Start.AddHours(3)));
    }

    [Fact]
    public void that_somebody_wanted_to_sign_up_with_the_address_is_told_once_where_somebody_has_proved_it_and_mails_arrive()
    {
        var attempted = new SignUpAttempted(Start.AddHours(3));
        var notice = Tell(3, Ends[0], attempted)!;
        Assert.Equal(("ada@example.com", "Ada", "sign-up-attempted-3", null), (notice.Email, notice.Username, notice.Notice!.Purpose, notice.LinkExpires));
        Assert.Null(Tell(2, attempted));
        foreach (var said in new object[] { new MailSent("sign-up-attempted-3", Start), new MailFailed("sign-up-attempted-3", "x", Start), new MailBounced("activation", "x", Start), new MailComplained("activation", Start) })
            Assert.Null(Tell(3, Ends[0], attempted, said));

        Activation? Tell(int version, params object[] history) =>
            ActivationPolicy.Tell(Given.Account, attempted, Event, version, [.. history.Prepend(Created).Select((h, n) => (n + 1L, h))], Start.AddHours(3)).SingleOrDefault();
    }

    [Fact]
    public void of_a_kind_that_gives_no_cause_for_a_mail_there_is_none() => Assert.Null(Tell(new UsernameChanged("Ada", "Countess", Start), Start));

    [Fact]
    public void mails_that_follow_are_to_the_name_that_one_has_by_then()
    {
        var given = MailSent().Heard(new UsernameChanged("Ada", "Countess", Start));
        Assert.Equal(("Countess", ActivationStatus.Sent), (given.State!.Username, given.State.Status));
        Assert.Equal("Countess", given.Heard(Changed).State!.Username);
        Assert.Null(new Given().Heard(new UsernameChanged("Ada", "Countess", Start)).State);
    }

    private static readonly EmailChangeRequested Wanted = new("ada@new.example", Start.AddHours(27), Start.AddHours(3));

    /// <summary>As the account's third event.</summary>
    private static List<Activation> TellOfWanted(DateTimeOffset now, params object[] history) =>
        [.. ActivationPolicy.Tell(Given.Account, Wanted, Event, 3, [.. new[] { Created, Ends[0], Wanted }.Concat(history).Select((h, n) => (n + 1L, h))], now)];

    [Fact]
    public void a_link_goes_to_the_address_that_is_wanted_and_a_notice_to_the_one_that_the_account_has()
    {
        var mails = TellOfWanted(Start.AddHours(3));
        Assert.Equal([("ada@new.example", "email-confirmation-3~wanted"), ("ada@example.com", "email-change-requested-3")], mails.Select(m => (m.Email, m.Notice!.Purpose)));
        Assert.Equal((Wanted.ExpiresAt, 1, Event, Given.Account), (mails[0].LinkExpires, mails[0].Generation, mails[0].Id, mails[0].AccountId));
        Assert.All(mails, m => Assert.Equal(("Ada", "en", Wanted.RequestedAt), (m.Username, m.Language, m.Since)));
        // Two rows, and the same ones whoever derives them.
        Assert.NotEqual(mails[0].Id, mails[1].Id);
        Assert.Equal(mails.Select(m => m.Id), TellOfWanted(Start.AddHours(4)).Select(m => m.Id));
    }

    [Fact]
    public void neither_is_sent_where_the_link_is_dead_by_now_nor_twice_nor_the_notice_where_mails_come_back()
    {
        Assert.Empty(TellOfWanted(Wanted.ExpiresAt));
        foreach (var later in new object[] { NewPassword, Changed, Wanted with { NewEmail = "ada@third.example" }, new AccountDeleted("ada@example.com", Start) }) Assert.Empty(TellOfWanted(Start.AddHours(4), later));
        foreach (var (said, left) in new (object, string)[]
        {
            (new MailSent("email-confirmation-3~wanted", Start), "email-change-requested-3"), (new MailFailed("email-confirmation-3~wanted", "x", Start), "email-change-requested-3"),
            (new MailSent("email-change-requested-3", Start), "email-confirmation-3~wanted"), (new MailBounced("activation", "mailbox-full", Start), "email-confirmation-3~wanted"),
        })
            Assert.Equal([left], TellOfWanted(Start.AddHours(4), said).Select(m => m.Notice!.Purpose));
    }

    [Fact]
    public void asked_for_again_it_is_the_same_link_for_longer()
    {
        var again = Wanted with { ExpiresAt = Wanted.ExpiresAt.AddHours(1), RequestedAt = Start.AddHours(4) };
        var second = ActivationPolicy.Tell(Given.Account, again, Event, 4, [(1, Created), (2, Ends[0]), (3, Wanted), (4, again)], Start.AddHours(4)).First();
        Assert.Equal((again.ExpiresAt, 1), (second.LinkExpires, second.Generation));
        Assert.Equal(2, TellOfWanted(Start.AddHours(4), again).Count);
    }

    [Fact]
    public void what_became_of_the_link_says_nothing_of_the_account_s_address()
    {
        foreach (var said in new object[] { new MailBounced("email-confirmation-3~wanted", "mailbox-full", Start), new MailComplained("email-confirmation-3~wanted", Start) })
        {
            Assert.Equal(2, TellOfWanted(Start.AddHours(4), said).Count);
            Assert.Equal(MailState.Queued, Signup.EventLog.Accounts.Account.Fold([Created, Ends[0], Wanted, Changed, said]).Mail.State);
        }
    }

    [Fact]
    public void what_is_long_past_is_not_told()
    {
        Assert.NotNull(Tell(Changed.ChangedAt.AddDays(7)));
        Assert.Null(Tell(Changed.ChangedAt.AddDays(7).AddSeconds(1)));
    }
}

public sealed class when_the_state_was_lost
{
    private static Activation Derived(params object[] facts) => new Given().Heard([Created, .. facts]).State!;

    [Fact]
    public void what_was_sent_is_not_sent_again()
    {
        var given = new Given().Heard(Created, new ActivationMailSent("activation", Start.AddMinutes(1)));
        Assert.Equal(MailSent().State, given.State);
        Assert.Empty(given.Facts);
    }

    [Fact]
    public void a_mail_that_failed_stays_failed() =>
        Assert.Equal(ActivationStatus.Failed, Derived(new ActivationMailFailed("activation", "mailbox-full", Start.AddMinutes(1))).Status);

    [Fact]
    public void what_the_user_had_asked_for_still_counts()
    {
        var state = Derived(new ActivationMailSent("activation", Start.AddMinutes(1)), new ActivationMailSent("resend-1", Start.AddHours(1)), new ActivationMailSent("resend-2", Start.AddHours(2)));
        var policy = new ActivationPolicy(Defaults);
        Assert.Same(state, policy.Resend(state, Start.AddHours(2).AddSeconds(30)).State);
        Assert.Equal("resend-3", policy.WhatIsDue(policy.Resend(state, Start.AddHours(3)).State!).Purpose);
    }
}

public sealed class when_somebody_signs_up_with_the_address_once_more
{
    private static readonly SignUpAttempted Attempted = new(Start.AddHours(2));

    [Fact]
    public void the_activation_mail_comes_once_more_and_says_why_with_the_same_link()
    {
        var given = MailSent();
        var expires = given.State!.LinkExpires;
        given.Heard(Attempted);
        Assert.Equal(new Due(Start.AddHours(2), "sign-up-again-1"), given.Due);
        given.After((p, s) => p.Sent(s, "sign-up-again-1", Start.AddHours(3)));
        Assert.Equal(new ActivationMailSent("sign-up-again-1", Start.AddHours(3)), given.Facts[^1]);
        Assert.Equal((expires, "reminder-1"), (given.State!.LinkExpires, given.Due.Purpose));
        Assert.Equal("resend-2", given.After((p, s) => p.Resend(s, Start.AddHours(4))).Due.Purpose);
    }

    [Fact]
    public void nothing_more_comes_than_the_first_where_that_is_not_out_yet_nor_to_whom_it_is_unwanted_nor_too_soon()
    {
        Assert.Equal("activation", SignedUp().Heard(Attempted).After((p, s) => p.Sent(s, "activation", Start.AddHours(3))).Facts.OfType<ActivationMailSent>().Single().Purpose);
        Assert.Equal("reminder-1", SignedUp().Heard(Attempted).After((p, s) => p.Sent(s, "activation", Start.AddHours(3))).Due.Purpose);
        Assert.Null(MailSent().Heard(new MailComplained("activation", Start.AddHours(1)), Attempted).Due.Purpose);
        Assert.Equal("reminder-1", MailSent().Heard(Attempted).After((p, s) => p.Sent(s, "sign-up-again-1", Start.AddHours(2))).Heard(new SignUpAttempted(Start.AddHours(2).AddSeconds(30))).Due.Purpose);
        Assert.Null(new Given().Heard(Attempted).State);
    }

    [Fact]
    public void a_mail_that_is_due_stays_what_it_is()
    {
        Assert.Equal("resend-1", MailSent().After((p, s) => p.Resend(s, Start.AddHours(1))).Heard(Attempted).Due.Purpose);
        Assert.Equal("sign-up-again-1", MailSent().Heard(Attempted).After((p, s) => p.Resend(s, Start.AddHours(3))).Due.Purpose);
    }

    [Fact]
    public void what_came_of_it_is_known_from_the_log_alone()
    {
        var sent = Derived(new ActivationMailSent("activation", Start.AddMinutes(1)), Attempted, new ActivationMailSent("sign-up-again-1", Start.AddHours(3)));
        Assert.Equal((1, false), (sent.Resends, sent.ResendDue));
        // It was the user who had asked, a moment before, which the log does not say.
        Assert.False(Derived(new ActivationMailSent("activation", Start.AddMinutes(1)), Attempted, new ActivationMailSent("resend-1", Start.AddHours(3))).ResendDue);
        Assert.True(Derived(new ActivationMailSent("activation", Start.AddMinutes(1)), Attempted).ResendDue);
    }

    private static Activation Derived(params object[] history) => new Given().Heard(history.Prepend(Created)).State!;
}

public sealed class when_the_mail_was_sent
{
    [Fact]
    public void it_is_a_fact_for_the_log()
    {
        var given = MailSent();
        Assert.Equal(ActivationStatus.Sent, given.State!.Status);
        Assert.Equal([new ActivationMailSent("activation", Start.AddMinutes(1))], given.Facts);
    }

    [Fact]
    public void hearing_of_it_twice_is_one_fact() =>
        Assert.Single(MailSent().After((p, s) => p.Sent(s, "activation", Start.AddMinutes(2))).Facts);

    [Fact]
    public void reminders_follow_after_one_and_three_days_and_the_expiry_after_seven()
    {
        var given = MailSent();
        Assert.Equal(new Due(Start.AddMinutes(1).AddDays(1), "reminder-1"), given.Due);
        given.After((p, s) => p.Sent(s, "reminder-1", Start.AddDays(1.1)));
        Assert.Equal(new Due(Start.AddMinutes(1).AddDays(3), "reminder-2"), given.Due);
        given.After((p, s) => p.Sent(s, "reminder-2", Start.AddDays(3.1)));
        Assert.Equal(new Due(Start.AddDays(7), null), given.Due);
        Assert.Equal(["activation", "reminder-1", "reminder-2"], given.Facts.Cast<ActivationMailSent>().Select(f => f.Purpose));
    }

    [Fact]
    public void reminders_that_came_due_while_mail_was_away_are_one() =>
        Assert.Null(MailSent().After((p, s) => p.Sent(s, "reminder-1", Start.AddDays(5))).Due.Purpose);

    [Fact]
    public void how_often_and_when_to_remind_is_a_setting() =>
        Assert.Equal(new Due(Start.AddMinutes(1).AddHours(5), "reminder-1"), MailSent(new MailSettings { Reminders = [TimeSpan.FromHours(5)] }).Due);

    [Fact]
    public void a_reminder_that_is_late_yields_to_the_expiry()
    {
        var given = MailSent().After((p, s) => p.PutOff(s, "reminder-1", ours: false, Start.AddDays(6.99)));
        Assert.Equal(new Due(Start.AddDays(7), null), given.Policy.WhatIsDue(given.State!, Start.AddDays(8)));
    }
}

public sealed class when_nobody_activates
{
    private static Given Asked() => MailSent().After((p, s) => p.ExpiryAsked(s, Start.AddDays(7)));

    [Fact]
    public void the_expiry_is_asked_for_again_until_it_is_heard()
    {
        Assert.Equal(new Due(Start.AddDays(7).AddHours(1), null), Asked().Due);
        Assert.Null(Asked().Heard(Given.Ends[1]).State);
    }

    [Fact]
    public void no_mail_follows_the_asking() =>
        Assert.Null(Asked().After((p, s) => p.Resend(s, Start.AddDays(7.1))).Due.Purpose);

    [Fact]
    public void an_account_whose_first_mail_is_not_out_yet_does_not_expire() =>
        Assert.Equal("activation", SignedUp().Policy.WhatIsDue(SignedUp().State!, Start.AddDays(400))!.Purpose);

    [Fact]
    public void an_account_whose_address_was_refused_expires_after_seven_days() =>
        Assert.Equal(new Due(Start.AddDays(7), null), SignedUp().After((p, s) => p.Refused(s, "activation", "mailbox-unavailable", Start.AddMinutes(1))).Due);
}

public sealed class the_link
{
    [Fact]
    public void is_valid_for_seven_days_from_the_sign_up() =>
        Assert.Equal(Start.AddDays(7), SignedUp().Policy.LinkExpires(SignedUp().State!, Start.AddMinutes(1)));

    [Fact]
    public void is_the_same_on_a_retry_days_later() =>
        Assert.Equal(Start.AddDays(7), SignedUp().Policy.LinkExpires(SignedUp().State!, Start.AddDays(3.5)));

    [Theory]
    [InlineData(3.6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(30)]
    [InlineData(365)]
    public void leaves_the_user_at_least_half_its_life_however_long_the_provider_was_away(double days)
    {
        var given = SignedUp();
        var expires = given.Policy.LinkExpires(given.State!, Start.AddDays(days));
        Assert.InRange(expires - Start.AddDays(days), TimeSpan.FromDays(3.5), TimeSpan.FromDays(10.5));
        Assert.Equal(0, (expires - Start).Ticks % TimeSpan.FromDays(7).Ticks);
    }

    [Fact]
    public void of_all_later_mails_is_the_first_mails()
    {
        var given = SignedUp().After((p, s) => p.Sent(s, "activation", Start.AddDays(20)));
        Assert.Equal(Start.AddDays(28), given.Policy.LinkExpires(given.State!, Start.AddDays(21)));
        Assert.Equal(Start.AddDays(28), given.Policy.LinkExpires(given.State!, Start.AddDays(27)));
    }

    [Fact]
    public void decides_when_the_account_expires()
    {
        var given = SignedUp().After((p, s) => p.Sent(s, "activation", Start.AddDays(20)));
        Assert.Null(given.Policy.WhatIsDue(given.State!, Start.AddDays(20.5)));
        Assert.Equal(new Due(Start.AddDays(28), null), given.Policy.WhatIsDue(given.State!, Start.AddDays(28)));
    }
}

public sealed class when_the_address_is_refused
{
    [Fact]
    public void the_mail_is_given_up_at_once_and_the_log_says_why()
    {
        var given = SignedUp().After((p, s) => p.Refused(s, "activation", "mailbox-unavailable", Start.AddMinutes(1)));
        Assert.Equal(ActivationStatus.Failed, given.State!.Status);
        Assert.Equal([new ActivationMailFailed("activation", "mailbox-unavailable", Start.AddMinutes(1))], given.Facts);
        Assert.Null(given.Due.Purpose);
    }

    [Fact]
    public void the_user_may_have_it_tried_again()
    {
        var given = SignedUp().After((p, s) => p.Refused(s, "activation", "mailbox-full", Start.AddMinutes(1)))
            .After((p, s) => p.Resend(s, Start.AddHours(1)));
        Assert.Equal(new Due(Start.AddHours(1), "resend-1"), given.Due);
        given.After((p, s) => p.Sent(s, "resend-1", Start.AddHours(2)));
        Assert.Equal(ActivationStatus.Sent, given.State!.Status);
        Assert.Equal(new Due(Start.AddHours(2).AddDays(1), "reminder-1"), given.Due);
    }
}

public sealed class when_the_address_is_put_off
{
    [Fact]
    public void each_pause_is_about_twice_the_last_up_to_the_cap()
    {
        var given = SignedUp();
        var now = Start;
        for (var i = 0; i < 12; i++)
        {
            given.After((p, s) => p.PutOff(s, "activation", ours: false, now));
            var plain = Math.Min(Math.Pow(2, i), 240);
            Assert.InRange((given.Due.At - now).TotalMinutes, 0.8 * plain, 1.2 * plain);
            now = given.Due.At;
        }
        Assert.Empty(given.Facts);
    }

    [Fact]
    public void accounts_put_off_together_do_not_come_back_together()
    {
        var times = Enumerable.Range(0, 50).Select(i =>
        {
            var account = SignedUp().State! with { AccountId = new Guid(i, 0, 0, new byte[8]) };
            return new Given().After(_ => new Decision(account)).After((p, s) => p.PutOff(s, "activation", ours: false, Start)).Due.At;
        });
        Assert.InRange(times.Distinct().Count(), 45, 50);
    }

    [Fact]
    public void after_five_days_of_it_the_address_counts_as_unreachable()
    {
        var given = SignedUp();
        var now = Start;
        while (given.State!.Status == ActivationStatus.Waiting)
        {
            now = given.Due.At;
            given.After((p, s) => p.PutOff(s, "activation", ours: false, now));
        }
        Assert.Equal("unreachable", Assert.IsType<ActivationMailFailed>(Assert.Single(given.Facts)).Reason);
        Assert.InRange(now - Start, TimeSpan.FromDays(4), TimeSpan.FromDays(6));
    }

    [Fact]
    public void success_forgets_it()
    {
        var given = SignedUp().After((p, s) => p.PutOff(s, "activation", ours: false, Start)).After((p, s) => p.Sent(s, "activation", Start.AddMinutes(2)));
        Assert.Equal((0, null), (given.State!.PutOffs, given.State.RetryAt));
    }
}

public sealed class when_the_provider_does_not_take_a_mail_and_does_not_say_that_it_is_the_address
{
    [Fact]
    public void it_is_tried_for_as_long_as_any_and_then_nobody_is_told_that_it_was_their_mistake()
    {
        var given = SignedUp();
        var tries = 0;
        for (; given.State!.Status == ActivationStatus.Waiting; tries++) given.After((p, s) => p.PutOff(s, "activation", ours: true, given.Due.At));
        Assert.Equal(Defaults.Retries + 1, tries);
        Assert.Equal("provider-refused", Assert.IsType<ActivationMailFailed>(Assert.Single(given.Facts)).Reason);
    }
}

public sealed class when_the_connection_is_lost_within_a_mail
{
    [Fact]
    public void the_mail_goes_behind_the_others_and_is_not_repeated_without_end()
    {
        var given = SignedUp();
        var now = Start;
        var copies = 0;
        for (; given.State!.Status == ActivationStatus.Waiting; copies++)
        {
            given.After((p, s) => p.Interrupted(s, "activation", now));
            Assert.True(given.Due.At > now);
            now = given.Due.At;
        }
        Assert.Equal(5, copies);
        Assert.Equal("unconfirmed", Assert.IsType<ActivationMailFailed>(Assert.Single(given.Facts)).Reason);
    }

    [Fact]
    public void the_user_may_have_it_sent_again()
    {
        var given = SignedUp();
        for (var i = 0; i < 5; i++) given.After((p, s) => p.Interrupted(s, "activation", Start));
        given.After((p, s) => p.Resend(s, Start.AddHours(1))).After((p, s) => p.Sent(s, "resend-1", Start.AddHours(1)));
        Assert.Equal(ActivationStatus.Sent, given.State!.Status);
    }
}

public sealed class when_the_user_asks_for_the_mail_again
{
    [Fact]
    public void it_is_due_at_once() =>
        Assert.Equal(new Due(Start.AddHours(1), "resend-1"), MailSent().After((p, s) => p.Resend(s, Start.AddHours(1))).Due);

    [Fact]
    public void within_a_minute_of_the_last_time_nothing_follows()
    {
        var given = MailSent().After((p, s) => p.Resend(s, Start.AddHours(1))).After((p, s) => p.Sent(s, "resend-1", Start.AddHours(1)));
        var before = given.State;
        Assert.Same(before, given.After((p, s) => p.Resend(s, Start.AddHours(1).AddSeconds(59))).State);
        Assert.Equal("resend-2", given.After((p, s) => p.Resend(s, Start.AddHours(1).AddSeconds(60))).Due.Purpose);
    }

    [Fact]
    public void the_sixth_within_a_day_waits_until_the_first_is_a_day_old()
    {
        var given = MailSent();
        for (var i = 1; i <= 5; i++)
            given.After((p, s) => p.Resend(s, Start.AddHours(i))).After((p, s) => p.Sent(s, $"resend-{i}", Start.AddHours(i)));
        Assert.Equal(6, given.Facts.Count);
        var before = given.State;
        Assert.Same(before, given.After((p, s) => p.Resend(s, Start.AddHours(25).AddSeconds(-1))).State);
        Assert.Equal("resend-6", given.After((p, s) => p.Resend(s, Start.AddHours(25))).Due.Purpose);
    }

    [Fact]
    public void they_are_told_when_it_may_be_asked_for_again()
    {
        var given = MailSent();
        Assert.Equal((ResendOutcome.Sending, null), Told(Start.AddHours(1)));
        given.After((p, s) => p.Resend(s, Start.AddHours(1)));
        Assert.Equal((ResendOutcome.TooSoon, Start.AddHours(1).AddMinutes(1)), Told(Start.AddHours(1).AddSeconds(59)));
        Assert.Equal((ResendOutcome.Sending, null), Told(Start.AddHours(1).AddSeconds(60)));
        for (var i = 2; i <= 5; i++) given.After((p, s) => p.Sent(s, $"resend-{i - 1}", Start.AddHours(i))).After((p, s) => p.Resend(s, Start.AddHours(i)));
        Assert.Equal((ResendOutcome.TooSoon, Start.AddHours(25)), Told(Start.AddHours(6)));
        Assert.Equal((ResendOutcome.Sending, null), Told(Start.AddHours(25)));

        (ResendOutcome, DateTimeOffset?) Told(DateTimeOffset at) => given.Policy.MayResend(given.State, Given.Account, at) is var told ? (told.Outcome, told.NextAt) : default;
    }

    [Fact]
    public void they_are_told_that_none_follows_where_none_does()
    {
        foreach (var given in new[] { new Given(), MailSent().Heard(Given.Ends[0]), MailSent().Heard(new MailComplained("activation", Start.AddHours(1))), MailSent().After((p, s) => p.ExpiryAsked(s, Start.AddDays(7))) })
            Assert.Equal(ResendOutcome.NotAny, given.Policy.MayResend(given.State, Given.Account, Start.AddHours(2)).Outcome);
        Assert.Equal(ResendOutcome.Sending, SignedUp().Policy.MayResend(SignedUp().State, Given.Account, Start.AddHours(2)).Outcome);
    }

    [Fact]
    public void the_same_message_delivered_twice_is_one_request()
    {
        var given = MailSent().After((p, s) => p.Resend(s, Start.AddHours(1)));
        var before = given.State;
        Assert.Same(before, given.After((p, s) => p.Resend(s, Start.AddHours(1))).State);
    }

    [Fact]
    public void asking_again_before_it_is_out_does_not_make_two_of_it()
    {
        var given = MailSent().After((p, s) => p.Resend(s, Start.AddHours(1))).After((p, s) => p.Resend(s, Start.AddHours(2)));
        Assert.Equal("resend-1", given.Due.Purpose);
    }

    [Fact]
    public void while_the_first_is_on_its_way_nothing_more_is_sent()
    {
        var given = SignedUp();
        var before = given.State;
        Assert.Same(before, given.After((p, s) => p.Resend(s, Start.AddMinutes(5))).State);
    }

    [Fact]
    public void after_the_end_nothing_is_sent() =>
        Assert.Null(MailSent().Heard(Given.Ends[0]).After((p, s) => p.Resend(s, Start.AddHours(1))).State);

    [Fact]
    public void for_an_account_that_does_not_exist_nothing_is_kept() =>
        Assert.Null(new Given().After((p, s) => p.Resend(s, Start)).State);
}
