using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>A proposed event, understood: its class is known, its fields are there, and what it does to unique values is worked out.</summary>
/// <param name="Event">The event as it will be stored.</param>
/// <param name="Named">The proposer gave it an id, so that a repetition can be told from a new try, and hears a "no" again.</param>
/// <param name="Once">See <see cref="ProposeEvent.Once"/>.</param>
internal sealed record Proposal(Guid StreamId, Guid EventId, long ExpectedVersion, object Event, IReadOnlyList<Claim> Claims, bool Named, bool Once)
{
    /// <summary>The message it came with. Its event is published from a transaction that it shares with others.</summary>
    public Cause Cause { get; } = Cause.Capture();

    public Verdict Accepted(long version, long position) => new(StreamId, EventId, VerdictOutcome.Accepted, version, position, null);
    public Verdict NotUnique(string constraint) => new(StreamId, EventId, VerdictOutcome.NotUnique, 0, 0, constraint);
    public Verdict VersionConflict() => new(StreamId, EventId, VerdictOutcome.VersionConflict, 0, 0, null);

    /// <exception cref="FormatException">The proposal is wrong: an unknown type, a missing field. Says what.</exception>
    public static Proposal Read(UniquenessRules rules, Guid streamId, Guid? eventId, long expectedVersion, string type, JsonElement data, bool once)
    {
        if (streamId == Guid.Empty) throw new FormatException("The streamId is missing.");
        if (expectedVersion < 0) throw new FormatException("The expectedVersion is the number of events the stream has; it cannot be negative.");
        if (EventTypes.Find(type) is not { } known || rules.RulesFor(type).Count == 0)
            throw new FormatException($"The type '{type}' is unknown here; known are {string.Join(", ", rules.EventNames)}.");
        if (data.ValueKind != JsonValueKind.Object) throw new FormatException("The data must be an object.");
        object stored;
        try
        {
            stored = data.Deserialize(known.Stored, LogJson.Options)!;
        }
        catch (JsonException e)
        {
            throw new FormatException($"The data is no {type}: {e.Message}", e);
        }
        var canonical = JsonSerializer.SerializeToElement(stored, known.Stored, LogJson.Options);
        return new Proposal(streamId, eventId ?? IdOf(streamId, expectedVersion, type, canonical), expectedVersion, stored, rules.ClaimsOf(type, canonical), eventId is not null, once);
    }

    /// <summary>Who gives no event id says the same by saying the same: the id is a digest of the proposal.</summary>
    private static Guid IdOf(Guid streamId, long expectedVersion, string type, JsonElement data) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{streamId}\n{expectedVersion}\n{type}\n{data.GetRawText()}"))[..16]);
}
