using System.Text.Json;
using System.Text.Json.Serialization;
using Signup.EventLog;
using Signup.EventLog.Accounts;

namespace Signup.Query.Accounts;

/// <summary>What the read model holds of an account: the fold of its events. Never the password's hash.</summary>
/// <param name="Version">Number of the last event folded in.</param>
/// <param name="Email">As typed.</param>
/// <param name="Position">Place in the log of the last event folded in.</param>
/// <param name="UpdatedAt">When that event was appended.</param>
public sealed record AccountDocument(
    Guid Id, long Version, string Username, string Email, AccountStatus Status, MailStatus Mail, string Language,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, long Position)
{
    /// <summary>Raise it with every change to the fold or to the shape of the document, then run <c>./run Query rebuild</c>.</summary>
    public const int Shape = 6;

    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public DateTimeOffset? ActivatedAt { get; init; }
    public DateTimeOffset? ExpiredAt { get; init; }
    public DateTimeOffset? EmailChangedAt { get; init; }
    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>Nobody can tell any more whose it was: name and address are empty. Null: this is not so.</summary>
    public bool? Forgotten { get; init; }

    /// <summary>How often the address was replaced; null: never.</summary>
    public int? AddressChanges { get; init; }

    /// <summary>Which sessions have ended before their time; null: none has.</summary>
    public SessionStatus? Sessions { get; init; }

    /// <summary>Versions of events whose JSON does not fit their class. They have no effect, and they do not stop the rest.</summary>
    public IReadOnlyList<long>? Unreadable { get; init; }

    public static AccountDocument Parse(string json) => JsonSerializer.Deserialize<AccountDocument>(json, Json)!;

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>The account after one more event of its stream; null while there is none. An event it already holds changes nothing.</summary>
    public static AccountDocument? Next(AccountDocument? account, LoggedEvent e) =>
        e.Version <= account?.Version ? account : After(account, Read(e), e.StreamId, e.Version, e.Position, e.At);

    /// <param name="happened">The stored event; null where its kind is not known.</param>
    public static AccountDocument? After(AccountDocument? account, object? happened, Guid id, long version, long position, DateTimeOffset at)
    {
        var after = happened switch
        {
            AccountCreated e when account is null =>
                new AccountDocument(id, version, e.Username, e.Email, AccountStatus.Pending, MailStatus.Queued, e.Language, e.CreatedAt, at, position),
            _ when account is null => null,
            AccountActivated e => account with { Status = AccountStatus.Active, ActivatedAt = e.ActivatedAt },
            AccountExpired e => account with { Status = AccountStatus.Expired, ExpiredAt = e.ExpiredAt },
            EmailChanged e => account with
            {
                Email = e.NewEmail,
                EmailChangedAt = e.ChangedAt,
                AddressChanges = (account.AddressChanges ?? 0) + 1,
                Mail = account.Status == AccountStatus.Pending ? MailStatus.Queued : account.Mail,
            },
            AccountDeleted { Forgotten: true } e => account with { Status = AccountStatus.Deleted, DeletedAt = e.DeletedAt, Username = "", Email = "", Forgotten = true },
            AccountDeleted e => account with { Status = AccountStatus.Deleted, DeletedAt = e.DeletedAt },
            UsernameChanged e => account with { Username = e.NewUsername },
            SignedOut or SignedOutEverywhere or PasswordChanged => account with { Sessions = (account.Sessions ?? SessionStatus.New).Apply(happened) },
            UnreadableEvent => account with { Unreadable = [.. account.Unreadable ?? [], version] },
            null => account,
            var e => account with { Mail = account.Mail.Apply(e, account.AddressChanges ?? 0) },
        };
        return after is null ? null : after with { Version = version, Position = position, UpdatedAt = at };
    }

    /// <summary>The account after all of <paramref name="events"/>: a stream in order, from its first event.</summary>
    public static AccountDocument? Fold(IEnumerable<LoggedEvent> events) => events.Aggregate((AccountDocument?)null, Next);

    /// <summary>Whether <paramref name="e"/> does not follow on what <paramref name="account"/> holds, so that its stream must be read instead.</summary>
    public static bool LeavesGap(AccountDocument? account, LoggedEvent e) =>
        e.Version > (account?.Version ?? 0) + 1 && EventTypes.Find(e.Type) is not null;

    private static object? Read(LoggedEvent e)
    {
        try
        {
            return EventTypes.Read(e);
        }
        catch (JsonException)
        {
            return default(UnreadableEvent);
        }
    }

    private readonly record struct UnreadableEvent;
}
