using System.Text.Json;
using System.Text.Json.Serialization;

namespace Signup.Messages.Uniqueness;

/// <summary>Command to <c>uniqueness</c>: append this event if what it claims is free. Answered with a <see cref="Verdict"/>.</summary>
/// <param name="StreamId">The stream to append to.</param>
/// <param name="EventId">Identifies the proposal: the same stream and event id again get the first answer.</param>
/// <param name="ExpectedVersion">The version the stream must have before; 0 for a new stream.</param>
/// <param name="Type">The event's frozen name in the log, such as <c>AccountCreated</c>.</param>
/// <param name="Data">The event as JSON.</param>
/// <param name="Once">The stream's id stands for this very proposal (an idempotency key): another one for the same stream is a
/// <see cref="VerdictOutcome.VersionConflict"/>, even where the first was turned down.</param>
public sealed record ProposeEvent(Guid StreamId, Guid EventId, long ExpectedVersion, string Type, JsonElement Data, bool Once = false);

/// <summary>Reply: what became of a proposed event. Sent after commit, so it is a fact.</summary>
/// <param name="Version">The event's number in its stream; 0 unless accepted.</param>
/// <param name="Position">The event's place in the log's total order; 0 unless accepted, and where what was asked for was so before.</param>
/// <param name="Constraint">Which constraint of <c>uniqueness.json</c> it broke; null unless not unique.</param>
public sealed record Verdict(Guid StreamId, Guid EventId, VerdictOutcome Outcome, long Version, long Position, string? Constraint);

[JsonConverter(typeof(JsonStringEnumConverter<VerdictOutcome>))]
public enum VerdictOutcome
{
    /// <summary>The event is in the log.</summary>
    Accepted,
    /// <summary>Someone else holds a value that the event claims. The event is not in the log.</summary>
    NotUnique,
    /// <summary>The stream is not at the expected version, or holds another event there. The event is not in the log.</summary>
    VersionConflict,
    /// <summary>The proposal itself is wrong: unknown type, missing field. The event is not in the log.</summary>
    Invalid,
    /// <summary>There is as much of this as there may be, for now. Nothing was proposed.</summary>
    TooMany,
    /// <summary>What was verified is not the account's password, or there is no such account any more. Nothing was proposed.</summary>
    Refused,
}
