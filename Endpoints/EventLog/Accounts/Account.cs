using System.Text.Json.Serialization;

namespace Signup.EventLog.Accounts;

// Events, as they are stored. Their names in the log are frozen in EventTypes.cs; the log keeps them for ever,
// so a change of shape is a new version with an upcaster, never an edit. What is personal in them is sealed there (PersonalData.cs), and is an empty text once somebody was forgotten.

/// <summary>The account exists and its address is claimed.</summary>
/// <param name="PasswordHash">A PHC string (Argon2id). It stays in the log: no message, read model or page has it.</param>
public sealed record AccountCreated([property: Personal] string Username, [property: Personal(IsAddress = true)] string Email, [property: Personal] string PasswordHash, string Language, DateTimeOffset CreatedAt);

/// <summary>Whoever reads mail at the account's address followed the link.</summary>
public sealed record AccountActivated(DateTimeOffset ActivatedAt);

/// <summary>Nobody activated the account in time; its address is free again.</summary>
public sealed record AccountExpired([property: Personal(IsAddress = true)] string Email, DateTimeOffset ExpiredAt);

/// <summary>Whoever is signed in, and knows the password, wants another address for the account: a link goes there, and those to other ones are dead. Until the link is used, or is
/// over, nobody else gets that address, unless it is not reserved.</summary>
/// <param name="ExpiresAt">End of the link's validity, in whole seconds.</param>
/// <param name="Unreserved">Whoever wants it was not to learn whether it is taken: it may be.</param>
public sealed record EmailChangeRequested(
    [property: Personal(IsAddress = true)] string NewEmail, DateTimeOffset ExpiresAt, DateTimeOffset RequestedAt, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Unreserved = false);

/// <summary>The account's address was replaced by another.</summary>
public sealed record EmailChanged([property: Personal(IsAddress = true)] string OldEmail, [property: Personal(IsAddress = true)] string NewEmail, DateTimeOffset ChangedAt);

/// <summary>The account is gone; its address is free again.</summary>
/// <param name="Forgotten">Nobody can read any more whose it was, here or in the events before.</param>
public sealed record AccountDeleted(
    [property: Personal(IsAddress = true)] string Email, DateTimeOffset DeletedAt, [property: Forgets, JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Forgotten = false);

/// <summary>The mail provider took an activation mail.</summary>
public sealed record ActivationMailSent(string Purpose, DateTimeOffset SentAt);

/// <summary>The mail provider refused the address for good. <paramref name="Reason"/> is a class of reasons, never an address.</summary>
public sealed record ActivationMailFailed(string Purpose, string Reason, DateTimeOffset FailedAt);

/// <summary>The mail provider took a mail that is not about activation, such as the notice <c>email-changed-2</c> to the address that the account's event 2 has replaced.</summary>
public sealed record MailSent(string Purpose, DateTimeOffset SentAt);

/// <summary>Such a mail was given up. <paramref name="Reason"/> is a class of reasons, never an address.</summary>
public sealed record MailFailed(string Purpose, string Reason, DateTimeOffset FailedAt);

/// <summary>The mail provider says that the recipient's server took a mail.</summary>
public sealed record MailDelivered(string Purpose, DateTimeOffset DeliveredAt);

/// <summary>The mail provider, which had taken a mail, could not deliver it. <paramref name="Reason"/> is a class of reasons, never an address.</summary>
public sealed record MailBounced(string Purpose, string Reason, DateTimeOffset BouncedAt);

/// <summary>Whoever got a mail says that it was unwanted.</summary>
public sealed record MailComplained(string Purpose, DateTimeOffset ComplainedAt);

/// <summary>The same password, hashed anew at a sign-in, since hashes cost something else by now.</summary>
/// <param name="PasswordHash">As in <see cref="AccountCreated"/>.</param>
public sealed record PasswordRehashed([property: Personal] string PasswordHash, DateTimeOffset RenewedAt);

/// <summary>One session ended before its time.</summary>
public sealed record SignedOut(Guid SessionId, DateTimeOffset SignedOutAt);

/// <summary>All sessions ended that had begun by then.</summary>
public sealed record SignedOutEverywhere(DateTimeOffset SignedOutAt);

/// <summary>An application was told whose account it is, by somebody who is signed in.</summary>
/// <param name="Application">Its id.</param>
/// <param name="CodeId">Of the authorization code that it came with, which is of no use any more.</param>
/// <param name="RequestId">Of the request that it came with, which may have reached us more than once.</param>
public sealed record SignedInToApplication(string Application, Guid CodeId, Guid RequestId, DateTimeOffset SignedInAt);

/// <summary>The account has another password. All sessions ended that had begun by then, but the one that asked for it.</summary>
/// <param name="PasswordHash">As in <see cref="AccountCreated"/>.</param>
/// <param name="SessionId">Of the session that goes on; null where it was asked for by a link.</param>
public sealed record PasswordChanged([property: Personal] string PasswordHash, Guid? SessionId, DateTimeOffset ChangedAt);

/// <summary>Somebody has forgotten the account's password, or says so: a link to choose another one goes to the account's address.</summary>
/// <param name="ExpiresAt">End of the link's validity, in whole seconds.</param>
public sealed record PasswordResetRequested(DateTimeOffset ExpiresAt, DateTimeOffset RequestedAt);

/// <summary>Somebody wanted to sign up with the account's address, and was not told that it is taken: the account's owner is, by mail.</summary>
public sealed record SignUpAttempted(DateTimeOffset AttemptedAt);

/// <summary>The account has another user name.</summary>
public sealed record UsernameChanged([property: Personal] string OldUsername, [property: Personal] string NewUsername, DateTimeOffset ChangedAt);

public enum AccountStatus { None, Pending, Active, Expired, Deleted }

/// <summary>What decisions about an account need to know: the fold of its events.</summary>
public sealed record Account
{
    public static readonly Account Nobody = new();

    public AccountStatus Status { get; init; }

    /// <summary>Nobody can read any more whose it was.</summary>
    public bool Forgotten { get; init; }

    /// <summary>As typed; empty while there is no account.</summary>
    public string Username { get; init; } = "";

    /// <summary>A PHC string; empty while there is no account.</summary>
    public string PasswordHash { get; init; } = "";

    /// <summary>The hash that the same password had before; null: none. Whoever was told its salt may still come with it.</summary>
    public string? FormerPasswordHash { get; init; }

    /// <summary>The address as typed, as of the last event; empty while there is no account.</summary>
    public string Email { get; init; } = "";

    /// <summary>How often the address was replaced.</summary>
    public int AddressChanges { get; init; }

    /// <summary>The last wish for another address, as long as its link may be used; null: there is none.</summary>
    public EmailChangeRequested? EmailChange { get; init; }

    /// <summary>How many such wishes there were, ever. A link is for one of them, by its number: each later one is the end of those before. To ask again, for one more mail or by a second click, is the same
    /// wish: else the link in the first mail would be dead.</summary>
    public int EmailChangeCount { get; init; }

    /// <summary>Which of them the present address comes from; 0: none.</summary>
    public int EmailChangeDone { get; init; }

    /// <summary>Those whose time was not over when the last one came.</summary>
    public IReadOnlyList<EmailChangeRequested> EmailChanges { get; init; } = [];

    /// <summary>How often the password was replaced.</summary>
    public int PasswordChanges { get; init; }

    /// <summary>How often what one signs in with was replaced, address or password. A link to choose another password is for the present ones: it is dead once either was replaced.</summary>
    public int Credentials => AddressChanges + PasswordChanges;

    /// <summary>Ends of the validity of links to choose another password, of those that were not over when the last one was asked for.</summary>
    public IReadOnlyList<DateTimeOffset> PasswordResets { get; init; } = [];

    /// <summary>How many such links there were, ever.</summary>
    public int PasswordResetCount { get; init; }

    /// <summary>When somebody wanted to sign up with the address, once more: those that were less than <see cref="Lately"/> old when the last one came.</summary>
    public IReadOnlyList<DateTimeOffset> SignUpAttempts { get; init; } = [];

    /// <summary>How many there were, ever.</summary>
    public int SignUpAttemptCount { get; init; }

    /// <summary>By which codes applications were told whose account it is: those that were less than <see cref="Lately"/> old when the last one came. A code lives for a minute.</summary>
    public IReadOnlyList<SignedInToApplication> Applications { get; init; } = [];

    public MailStatus Mail { get; init; } = MailStatus.Queued;

    public SessionStatus Sessions { get; init; } = SessionStatus.New;

    /// <summary>It has an address, and somebody may use it.</summary>
    public bool Exists => Status is AccountStatus.Pending or AccountStatus.Active;

    /// <summary>Whether this is the password's hash. Between being told the salt and coming with the hash somebody may have had the same password hashed anew.</summary>
    public bool HasPassword(string? hash) => Exists && hash is not null && (Accounts.PasswordHash.AreEqual(PasswordHash, hash) | Accounts.PasswordHash.AreEqual(FormerPasswordHash ?? PasswordHash, hash));

    /// <summary>Number of the last event folded in, from 1; 0 while there is none.</summary>
    public long Version { get; init; }

    /// <summary>How far back an account's owner is asked to remember what they were told.</summary>
    public static readonly TimeSpan Lately = TimeSpan.FromDays(1);

    /// <summary>The state after one more event. Kinds of events it does not decide by leave all but the version as it is.</summary>
    public Account Apply(object @event) => After(@event) with { Version = Version + 1 };

    private Account After(object @event) => @event switch
    {
        AccountCreated e => this with { Status = AccountStatus.Pending, Username = e.Username, Email = e.Email, PasswordHash = e.PasswordHash },
        AccountActivated => this with { Status = AccountStatus.Active },
        AccountExpired => this with { Status = AccountStatus.Expired },
        EmailChangeRequested e => this with
        {
            EmailChange = e,
            EmailChangeCount = EmailChange?.NewEmail == e.NewEmail ? EmailChangeCount : EmailChangeCount + 1,
            EmailChanges = [.. EmailChanges.Where(c => c.ExpiresAt > e.RequestedAt), e],
        },
        EmailChanged e => this with
        {
            Email = e.NewEmail,
            AddressChanges = AddressChanges + 1,
            PasswordResets = [],
            Mail = MailStatus.Queued,
            EmailChange = null,
            EmailChangeDone = EmailChange?.NewEmail == e.NewEmail ? EmailChangeCount : 0,
        },
        UsernameChanged e => this with { Username = e.NewUsername },
        AccountDeleted e => this with { Status = AccountStatus.Deleted, Forgotten = e.Forgotten },
        PasswordRehashed e => this with { PasswordHash = e.PasswordHash, FormerPasswordHash = PasswordHash },
        PasswordChanged e => this with
        {
            PasswordHash = e.PasswordHash,
            FormerPasswordHash = null,
            PasswordChanges = PasswordChanges + 1,
            PasswordResets = [],
            Sessions = Sessions.Apply(e),
            // Whoever wanted it may have been somebody who knew the former one.
            EmailChange = null,
        },
        PasswordResetRequested e => this with { PasswordResets = [.. PasswordResets.Where(end => end > e.RequestedAt), e.ExpiresAt], PasswordResetCount = PasswordResetCount + 1 },
        SignUpAttempted e => this with { SignUpAttempts = [.. SignUpAttempts.Where(at => at > e.AttemptedAt - Lately), e.AttemptedAt], SignUpAttemptCount = SignUpAttemptCount + 1 },
        SignedInToApplication e => this with { Applications = [.. Applications.Where(a => a.SignedInAt > e.SignedInAt - Lately), e] },
        SignedOut or SignedOutEverywhere => this with { Sessions = Sessions.Apply(@event) },
        var e => this with { Mail = Mail.Apply(e, AddressChanges) },
    };

    /// <summary>The state after all of <paramref name="events"/>, which are a whole stream in order.</summary>
    public static Account Fold(IEnumerable<object> events) => events.Aggregate(Nobody, (account, e) => account.Apply(e));
}
