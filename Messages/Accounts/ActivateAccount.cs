using System.Text.Json.Serialization;

namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c> once it has verified an activation token.
/// Answered with an <see cref="ActivationVerdict"/>.</summary>
public sealed record ActivateAccount(Guid AccountId, DateTimeOffset RequestedAt);

/// <summary>Reply to <see cref="ActivateAccount"/>, sent after the decision is in the log.</summary>
public sealed record ActivationVerdict(Guid AccountId, ActivationOutcome Outcome);

[JsonConverter(typeof(JsonStringEnumConverter<ActivationOutcome>))]
public enum ActivationOutcome
{
    /// <summary>The account is active; also the answer to a repetition.</summary>
    Active,
    /// <summary>No such account.</summary>
    Unknown,
    /// <summary>The account expired, or was deleted, before it was activated.</summary>
    Expired,
}
