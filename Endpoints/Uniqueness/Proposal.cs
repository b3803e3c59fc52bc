using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Signup.EventLog;
using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>A proposed event, understood: its class is known, its fields are there, and what it does to unique values is worked out.</summary>
/// <param name="Data">The event as it will be stored.</param>
/// <param name="Named">The proposer gave it an id, so that a repetition can be told from a new try, and hears a "no" again.</param>
/// <param name="Once">See <see cref="ProposeEvent.Once"/>.</param>
internal sealed record Proposal(Guid StreamId, Guid EventId, long ExpectedVersion, EventType Type, string Data, IReadOnlyList<Claim> Claims, bool Named, bool Once)
{
    /// <summary>More than any stream has.</summary>
    private const long MostVersions = 1_000_000_000;

    /// <summary>More characters than any event needs.</summary>
    private const int MostData = 64 * 1024;

    /// <summary>Two with the same are one proposal.</summary>
    public (Guid, Guid, long) Id => (StreamId, EventId, ExpectedVersion);

    /// <summary>The message it came with.</summary>
    public Cause Cause { get; } = Cause.Capture();

    public NewEvent AsNewEvent() => new(StreamId, ExpectedVersion, EventId, Type, Data, Cause);

    public Verdict Accepted(long position) => new(StreamId, EventId, VerdictOutcome.Accepted, ExpectedVersion + 1, position, null);
    public Verdict NotUnique(string constraint) => new(StreamId, EventId, VerdictOutcome.NotUnique, 0, 0, constraint);
    public Verdict VersionConflict() => new(StreamId, EventId, VerdictOutcome.VersionConflict, 0, 0, null);

    /// <exception cref="FormatException">The proposal is wrong: an unknown type, a missing field. Says what.</exception>
    public static Proposal Read(UniquenessRules rules, Guid streamId, Guid? eventId, long expectedVersion, string type, JsonElement data, bool once)
    {
        if (streamId == Guid.Empty) throw new FormatException("The streamId is missing.");
        if (expectedVersion is < 0 or > MostVersions) throw new FormatException($"The expectedVersion is the number of events the stream has: 0 to {MostVersions}.");
        if (EventTypes.Find(type) is not { } known || !rules.Names(type))
            throw new FormatException($"The type '{type}' is unknown here; known are {string.Join(", ", rules.EventNames)}.");
        if (data.ValueKind != JsonValueKind.Object) throw new FormatException("The data must be an object.");
        object stored;
        try
        {
            if (data.GetRawText().Length > MostData) throw new FormatException($"The data must not be longer than {MostData} characters.");
            if (!IsPlain(data)) throw new FormatException("The data must hold well-formed Unicode only, without NUL and noncharacters.");
            stored = data.Deserialize(known.Stored, LogJson.Options)!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException($"The data is no {type}: {e.Message}", e);
        }
        var canonical = JsonSerializer.SerializeToElement(stored, known.Stored, LogJson.Options);
        return new Proposal(streamId, eventId ?? IdOf(streamId, expectedVersion, type, canonical), expectedVersion, known, canonical.GetRawText(), rules.ClaimsOf(type, canonical), eventId is not null, once);
    }

    /// <exception cref="InvalidOperationException">An escape holds half of a surrogate pair, or the bytes are not UTF-8.</exception>
    private static bool IsPlain(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => PlainText.IsPlain(json.GetString()!),
        JsonValueKind.Array => json.EnumerateArray().All(IsPlain),
        JsonValueKind.Object => json.EnumerateObject().All(p => PlainText.IsPlain(p.Name) && IsPlain(p.Value)),
        _ => true,
    };

    /// <summary>Who gives no event id says the same by saying the same: the id is a digest of the proposal.</summary>
    private static Guid IdOf(Guid streamId, long expectedVersion, string type, JsonElement data) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{streamId}\n{expectedVersion}\n{type}\n{data.GetRawText()}"))[..16]);
}
