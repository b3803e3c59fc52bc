using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using ResendOutcome = Signup.Messages.Mail.ResendOutcome;
using ResendVerdict = Signup.Messages.Mail.ResendVerdict;

namespace Signup.Mail;

public enum ActivationStatus
{
    /// <summary>The first mail is not out yet.</summary>
    Waiting,
    /// <summary>The provider took the first mail.</summary>
    Sent,
    /// <summary>The mail could not be delivered, or nobody can be sure that it was.</summary>
    Failed,
    /// <summary>Whoever got one at this address did not want it: none follows, not even where the user asks for it.</summary>
    Unwanted,
}

/// <summary>A mail that an event gives cause for, once.</summary>
/// <param name="Id">Of that event; where it gives cause for two, the second has one that comes from it.</param>
/// <param name="Purpose">Of the mail.</param>
public sealed record Notice([property: JsonPropertyName("eventId")] Guid Id, string Purpose);

/// <summary>The state of one account's activation, for as long as the account is pending; or of one notice, until it is sent. All times are UTC.</summary>
public sealed record Activation
{
    [JsonIgnore]
    public Guid Id => Notice?.Id ?? AccountId;

    public required Guid AccountId { get; init; }
    public ActivationStatus Status { get; init; }

    /// <summary>Null: this is the account's activation.</summary>
    public Notice? Notice { get; init; }

    public required string Username { get; init; }
    public required string Email { get; init; }
    public required string Language { get; init; }

    /// <summary>When the account got this address, or lost it, where this is a notice of that.</summary>
    [JsonPropertyName("createdAt")]
    public required DateTimeOffset Since { get; init; }

    /// <summary>How often the account's address was replaced before.</summary>
    public int AddressChanges { get; init; }

    /// <summary>Of what the link of a notice is about: how often address or password were replaced before, or which of the account's wishes for another address it is.</summary>
    [JsonPropertyName("credentials")]
    public int Generation { get; init; }

    /// <summary>The account's last event that is in this state; what comes of mails is not counted.</summary>
    public long Version { get; init; }

    /// <summary>That event, or what the user has asked for since: what gives cause for the mail that is due. The mail goes on its trace.</summary>
    public Cause? Cause { get; init; }

    /// <summary>When the provider took the first mail.</summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>End of the link's validity, fixed with the first mail's fate.</summary>
    public DateTimeOffset? LinkExpires { get; init; }

    /// <summary>How many reminders went out.</summary>
    public int Reminders { get; init; }

    /// <summary>How many mails the user has asked for, ever.</summary>
    public int Resends { get; init; }

    /// <summary>The last of them is not out yet.</summary>
    public bool ResendDue { get; init; }

    /// <summary>It was asked for by signing up with the address once more.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ResendIsSignUp { get; init; }

    /// <summary>When the user asked, as far as the last 24 hours need.</summary>
    public ImmutableArray<DateTimeOffset> ResendsAsked { get; init; } = [];

    /// <summary>How often the mail that is due was put off, for the address's sake.</summary>
    public int PutOffs { get; init; }

    /// <summary>How often the connection was lost in the midst of the mail that is due.</summary>
    public int Interruptions { get; init; }

    /// <summary>Not before then, the mail that is due.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>When Accounts was last asked to expire the account.</summary>
    public DateTimeOffset? ExpiryAskedAt { get; init; }
}

/// <summary>Something to do, at a time.</summary>
/// <param name="Purpose">Of the mail to send; null: ask Accounts to expire the account.</param>
public sealed record Due(DateTimeOffset At, string? Purpose);

/// <summary>What a decision comes to: the state from now on (null: the account is not pending), and the facts for the log. The same state and no facts: nothing has changed.</summary>
public sealed record Decision(Activation? State, params IReadOnlyList<object> Facts);

/// <summary>
/// The saga that sees an account from sign-up to activation, as a policy: every decision is a pure function of state, message and time.
/// waiting → sent, or failed (address refused, or the mail came back), or unwanted; begins anew with each new address; ended by the account's activation, expiry or deletion, after which there is no state.
/// A decision made again on the state it led to changes nothing.
/// </summary>
public sealed class ActivationPolicy(MailSettings settings)
{
    /// <summary>Class of reason of an address that was put off until patience ran out.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>The same, where the provider would not have the mail, and did not say that it is the address.</summary>
    public const string ProviderRefused = "provider-refused";

    /// <summary>The connection was lost in the midst of the mail every time: it may have arrived.</summary>
    public const string Unconfirmed = "unconfirmed";

    /// <summary>Its link was over before the provider took it.</summary>
    public const string TooLate = "too-late";

    private const string ResendPrefix = "resend-", SignUpAgainPrefix = $"{MailKind.SignUpAgain}-";

    /// <summary>Older changes are not told any more: they come from an import, or from before there were notices.</summary>
    private static readonly TimeSpan NoticesReachBack = TimeSpan.FromDays(7);

    /// <summary>So many copies of a mail may arrive of which nobody could be sure that one had.</summary>
    private const int MostInterruptions = 5;

    // What the log says

    /// <summary>The state after one more event of the account.</summary>
    /// <param name="cause">The event, as the cause of what follows.</param>
    public Activation? Apply(Activation? state, Guid accountId, object e, Cause? cause = null) => e switch
    {
        AccountCreated created => state ?? new Activation
        {
            AccountId = accountId,
            Username = created.Username,
            Email = created.Email,
            Language = created.Language,
            Since = created.CreatedAt,
            Cause = cause,
        },
        // Who reads mail there has proved nothing yet. What the user may ask for in a day is counted on.
        EmailChanged changed => state is null ? null : new Activation
        {
            AccountId = accountId,
            Username = state.Username,
            Email = changed.NewEmail,
            Language = state.Language,
            Since = changed.ChangedAt,
            AddressChanges = state.AddressChanges + 1,
            ResendsAsked = state.ResendsAsked,
            Cause = cause,
        },
        // To whoever wanted to sign up: what there is already.
        SignUpAttempted attempted => Resend(state, attempted.AttemptedAt, cause, isSignUp: true).State,
        UsernameChanged changed => state is null ? null : state with { Username = changed.NewUsername },
        AccountActivated or AccountExpired or AccountDeleted => null,
        // The state knows, since this policy decided it, unless it is derived anew.
        ActivationMailSent mail => Sent(Asked(state, mail.Purpose, mail.SentAt), mail.Purpose, mail.SentAt).State,
        ActivationMailFailed mail => Refused(Asked(state, mail.Purpose, mail.FailedAt), mail.Purpose, mail.Reason, mail.FailedAt).State,
        MailBounced mail => Returned(state, mail.Purpose, mail.Reason, mail.BouncedAt),
        MailComplained mail when IsToAddress(state, mail.Purpose) => state!.Status == ActivationStatus.Unwanted ? state : Done(state, mail.ComplainedAt) with { Status = ActivationStatus.Unwanted },
        _ => state,
    };

    private static bool IsToAddress(Activation? state, string purpose) => state is not null && MailPurpose.MailOf(purpose, state.AddressChanges) is not null;

    /// <summary>The provider had taken it, in vain: no reminders. Who asks for the mail again gets it; the mailbox may have room by then.</summary>
    private Activation? Returned(Activation? state, string purpose, string reason, DateTimeOffset at)
    {
        // Heard before it is known here that the provider took it.
        if (Asked(state, purpose, at) is var awaiting && Awaits(awaiting, purpose)) return Refused(awaiting, purpose, reason, at).State;
        return IsToAddress(state, purpose) && state!.Status == ActivationStatus.Sent ? state with { Status = ActivationStatus.Failed } : state;
    }

    /// <summary>The mails that an event gives cause for, once; none where none is owed.</summary>
    /// <param name="history">The account's events, also those behind it, by version.</param>
    /// <param name="version">Of the event.</param>
    public static IEnumerable<Activation> Tell(Guid accountId, object e, Guid eventId, long version, IReadOnlyCollection<(long Version, object Event)> history, DateTimeOffset now, Cause? cause = null)
    {
        var (before, after, whole) = (Fold(h => h.Version < version), Fold(h => h.Version <= version), Fold(_ => true));
        Activation?[] mails = e switch
        {
            EmailChanged changed => [Notice("email-changed", before, changed.ChangedAt)],
            // Else anybody could have us tell a stranger of it, as often as they like: by signing up with that address.
            PasswordChanged changed when after.Status == AccountStatus.Active => [Notice("password-changed", after, changed.ChangedAt)],
            // Where nobody has proved the address, it is the account's activation that is told of.
            SignUpAttempted attempted when after.Status == AccountStatus.Active => [Notice("sign-up-attempted", after, attempted.AttemptedAt)],
            AccountDeleted deleted when before.Status == AccountStatus.Active => [Notice("account-deleted", before, deleted.DeletedAt)],
            // A link that was used, or is dead otherwise, is not sent.
            PasswordResetRequested asked when now < asked.ExpiresAt && whole.Exists && whole.Credentials == after.Credentials =>
                [Owed("password-reset", after, asked.RequestedAt) is { } mail ? mail with { LinkExpires = asked.ExpiresAt, Generation = after.Credentials } : null],
            EmailChangeRequested asked when now < asked.ExpiresAt && whole.Exists && whole.EmailChange is not null && whole.EmailChangeCount == after.EmailChangeCount =>
                [Link(asked), Notice("email-change-requested", after, asked.RequestedAt) is { } notice ? notice with { Notice = notice.Notice! with { Id = Second(eventId) } } : null],
            _ => [],
        };
        return mails.OfType<Activation>();

        Activation? Link(EmailChangeRequested asked) => Owed("email-confirmation", after, asked.RequestedAt) is { } mail
            ? mail with { Email = asked.NewEmail, LinkExpires = asked.ExpiresAt, Generation = after.EmailChangeCount, Notice = new(eventId, MailPurpose.OfWanted($"email-confirmation-{version}")) }
            : null;

        Account Fold(Func<(long Version, object Event), bool> which) => Account.Fold(history.Where(which).Select(h => h.Event));

        Activation? Notice(string mail, Account to, DateTimeOffset since) => since < now - NoticesReachBack || IsKnownNotToWork(to) ? null : Owed(mail, to, since);

        // Whoever sends on to where mails come back, or are not wanted, is soon nobody's provider.
        bool IsKnownNotToWork(Account to) => history.Any(h => (h.Event is MailBounced bounced && MailPurpose.MailOf(bounced.Purpose, to.AddressChanges) is not null)
            || (h.Event is MailComplained complained && MailPurpose.MailOf(complained.Purpose, to.AddressChanges) is not null));

        Activation? Owed(string mail, Account to, DateTimeOffset since)
        {
            var name = $"{mail}-{version}";
            var told = history.Any(h => h.Event is MailSent sent && MailPurpose.IsOf(sent.Purpose, name) || h.Event is MailFailed failed && MailPurpose.IsOf(failed.Purpose, name));
            // Who was forgotten before this was noted gets none.
            if (told || to.Email.Length == 0 || history.Select(h => h.Event).OfType<AccountCreated>().FirstOrDefault() is not { } created) return null;
            return new Activation
            {
                AccountId = accountId,
                Notice = new(eventId, MailPurpose.Of(name, to.AddressChanges)),
                Username = to.Username,
                Email = to.Email,
                Language = created.Language,
                Since = since,
                Cause = cause,
            };
        }
    }

    /// <summary>The same for the same, whoever derives it.</summary>
    private static Guid Second(Guid eventId) => new(SHA256.HashData(eventId.ToByteArray())[..16]);

    /// <summary>That the user asked for a mail is not in the log, but for who did so by signing up once more. What became of the mail is.</summary>
    private static Activation? Asked(Activation? state, string purpose, DateTimeOffset at) =>
        state is { Status: not ActivationStatus.Unwanted } && MailPurpose.MailOf(purpose, state.AddressChanges) is { } mail
        && new[] { ResendPrefix, SignUpAgainPrefix }.FirstOrDefault(p => mail.StartsWith(p, StringComparison.Ordinal)) is { } prefix
        && int.TryParse(mail.AsSpan(prefix.Length), CultureInfo.InvariantCulture, out var number) && (number > state.Resends || (number == state.Resends && state.ResendDue))
            ? state with { Resends = number, ResendDue = true, ResendIsSignUp = prefix == SignUpAgainPrefix, ResendsAsked = state.ResendsAsked.Add(at) }
            : state;

    // The user asks for the mail again

    /// <summary>What whoever asks for the mail again is told.</summary>
    public ResendVerdict MayResend(Activation? state, Guid accountId, DateTimeOffset askedAt)
    {
        if (state is null or { Status: ActivationStatus.Unwanted } or { ExpiryAskedAt: not null }) return new(accountId, ResendOutcome.NotAny, null);
        // The first one is still due.
        if (state.Status == ActivationStatus.Waiting) return new(accountId, ResendOutcome.Sending, null);
        var asked = Lately(state, askedAt);
        var next = asked.Length >= settings.ResendsPerDay ? asked[^settings.ResendsPerDay].AddDays(1)
            : asked.Length > 0 && asked.Max() + settings.ResendCooldown is var cool && askedAt < cool ? cool
            : (DateTimeOffset?)null;
        return new(accountId, next is null ? ResendOutcome.Sending : ResendOutcome.TooSoon, next);
    }

    /// <summary>Asking too soon, or too often, changes nothing; so does asking where no mail can follow.</summary>
    /// <param name="isSignUp">By signing up with the address once more.</param>
    public Decision Resend(Activation? state, DateTimeOffset askedAt, Cause? cause = null, bool isSignUp = false)
    {
        if (state is null or { Status: ActivationStatus.Waiting } || MayResend(state, state.AccountId, askedAt).Outcome != ResendOutcome.Sending) return new(state);
        return new(state with
        {
            Resends = state.ResendDue ? state.Resends : state.Resends + 1,
            ResendDue = true,
            ResendIsSignUp = state.ResendDue ? state.ResendIsSignUp : isSignUp,
            Cause = cause ?? state.Cause,
            ResendsAsked = Lately(state, askedAt).Add(askedAt),
            RetryAt = state.ResendDue ? state.RetryAt : null,
            PutOffs = state.ResendDue ? state.PutOffs : 0,
        });
    }

    private static ImmutableArray<DateTimeOffset> Lately(Activation state, DateTimeOffset askedAt) => [.. state.ResendsAsked.Where(t => t > askedAt.AddDays(-1))];

    // What became of a mail. Results of a mail that is no longer due (the account was activated meanwhile,
    // a second process had sent it too) change nothing.

    public Decision Sent(Activation? state, string purpose, DateTimeOffset now)
    {
        if (!Awaits(state, purpose)) return new(state);
        if (state!.Notice is not null) return new(null, new MailSent(purpose, now));
        return new(Done(state, now) with
        {
            Status = ActivationStatus.Sent,
            SentAt = state.SentAt ?? now,
            Reminders = IsReminder(purpose) ? RemindersDue(state, now) : state.Reminders,
        }, new ActivationMailSent(purpose, now));
    }

    /// <param name="reason">Class of the reason; never an address.</param>
    public Decision Refused(Activation? state, string purpose, string reason, DateTimeOffset now)
    {
        if (!Awaits(state, purpose)) return new(state);
        if (state!.Notice is not null) return new(null, new MailFailed(purpose, reason, now));
        return new(Done(state, now) with { Status = ActivationStatus.Failed }, new ActivationMailFailed(purpose, reason, now));
    }

    /// <summary>The provider did not take this mail, for now.</summary>
    /// <param name="ours">It is between the provider and us, or not said whose fault it is.</param>
    public Decision PutOff(Activation? state, string purpose, bool ours, DateTimeOffset now)
    {
        if (!Awaits(state, purpose)) return new(state);
        if (state!.PutOffs >= settings.Retries) return Refused(state, purpose, ours ? ProviderRefused : Unreachable, now);
        var putOffs = state.PutOffs + 1;
        return new(state with { PutOffs = putOffs, RetryAt = now + Pause(state.Id, putOffs) });
    }

    /// <summary>The connection was lost while this mail was under way. It goes behind the others, in case it is the mail's own fault; and it may have arrived, so
    /// it is not repeated without end.</summary>
    public Decision Interrupted(Activation? state, string purpose, DateTimeOffset now)
    {
        if (!Awaits(state, purpose)) return new(state);
        var interruptions = state!.Interruptions + 1;
        if (interruptions >= MostInterruptions) return Refused(state, purpose, Unconfirmed, now);
        return new(state with { Interruptions = interruptions, RetryAt = now + Pause(state.Id, interruptions) });
    }

    /// <summary>Nobody could use it any more. Whoever needs it asks again.</summary>
    public static bool IsTooLate(Activation state, DateTimeOffset now) => state.Notice is not null && state.LinkExpires <= now;

    public Decision ExpiryAsked(Activation? state, DateTimeOffset now) =>
        new(state is null ? null : state with { ExpiryAskedAt = now, ResendDue = false, RetryAt = null });

    // What is left to do, derived from the state in this one place

    public Due WhatIsDue(Activation state)
    {
        var mail = NextMail(state);
        var expiry = Expiry(state);
        return mail is not null && (expiry is null || mail.At < expiry.At) ? mail : expiry!;
    }

    /// <summary>As <see cref="WhatIsDue(Activation)"/>, for a time that has come: a link that is dead by now is not sent any more.</summary>
    public Due? WhatIsDue(Activation state, DateTimeOffset now)
    {
        var due = Expiry(state) is { } expiry && expiry.At <= now ? expiry : WhatIsDue(state);
        return due.At <= now ? due : null;
    }

    /// <summary>Until when the link of a mail sent now is valid: for one lifetime from when the account got the address, or by whole lifetimes more where the provider was away
    /// so long that the user would be left less than half of one. So the link is the same on every retry, and never dead on arrival.</summary>
    public DateTimeOffset LinkExpires(Activation state, DateTimeOffset now)
    {
        if (state.LinkExpires is { } known) return known;
        var late = now + (settings.ExpireAfter / 2) - (state.Since + settings.ExpireAfter);
        var more = late <= TimeSpan.Zero ? 0 : (long)Math.Ceiling(late / settings.ExpireAfter);
        return state.Since + ((1 + more) * settings.ExpireAfter);
    }

    private Due? NextMail(Activation state)
    {
        if (state.Notice is { } notice) return new(state.RetryAt ?? state.Since, notice.Purpose);
        if (state.Status == ActivationStatus.Waiting) return new(state.RetryAt ?? state.Since, Purpose("activation"));
        if (state.ExpiryAskedAt is not null) return null;
        if (state.ResendDue) return new(state.RetryAt ?? state.ResendsAsked[^1], Purpose($"{(state.ResendIsSignUp ? SignUpAgainPrefix : ResendPrefix)}{state.Resends}"));
        if (state.Status != ActivationStatus.Sent || state.Reminders >= settings.Reminders.Length) return null;
        return new(state.RetryAt ?? (state.SentAt!.Value + settings.Reminders[state.Reminders]), Purpose($"reminder-{state.Reminders + 1}"));

        string Purpose(string mail) => MailPurpose.Of(mail, state.AddressChanges);
    }

    /// <summary>Nobody's account expires because the provider was away: only the first mail's fate starts the clock.</summary>
    private Due? Expiry(Activation state) => state.Status == ActivationStatus.Waiting
        ? null
        : new(state.ExpiryAskedAt is { } asked ? asked + settings.ExpireRepeat : state.LinkExpires!.Value, null);

    private bool Awaits(Activation? state, string purpose) => state is not null && NextMail(state)?.Purpose == purpose;

    private Activation Done(Activation state, DateTimeOffset now) => state with
    {
        LinkExpires = LinkExpires(state, now),
        ResendDue = false,
        RetryAt = null,
        PutOffs = 0,
        Interruptions = 0,
    };

    /// <summary>Reminders that came due together, after a long absence, are one reminder.</summary>
    private int RemindersDue(Activation state, DateTimeOffset now) =>
        Math.Max(state.Reminders + 1, settings.Reminders.Count(after => state.SentAt + after <= now));

    private static bool IsReminder(string purpose) => purpose.StartsWith("reminder-", StringComparison.Ordinal);

    /// <summary>Doubles each time up to the cap; ± 20 %, so that those put off together do not all come back together. An id and the count
    /// stand in for chance, so that deciding stays pure.</summary>
    private TimeSpan Pause(Guid id, int count)
    {
        Span<byte> seed = stackalloc byte[20];
        id.TryWriteBytes(seed);
        BitConverter.TryWriteBytes(seed[16..], count);
        var chance = BitConverter.ToUInt32(SHA256.HashData(seed)) / (double)uint.MaxValue;
        var seconds = Math.Min(settings.RetryFirst.TotalSeconds * Math.Pow(2, count - 1), settings.RetryCap.TotalSeconds);
        return TimeSpan.FromSeconds(seconds * (0.8 + (0.4 * chance)));
    }
}
