using System.Text.Json.Serialization;

namespace Signup.Messages.Accounts;

/// <summary>Command, sent by the gateway to <c>accounts</c> once it has verified an activation token.
/// Answered with an <see cref="ActivationVerdict"/>.</summary>
/// <param name="AddressChanges">How often the account's address had been replaced when the link was mailed: it proves the address that it was mailed to, and no other.</param>
public sealed record ActivateAccount(Guid AccountId, DateTimeOffset RequestedAt, int AddressChanges = 0);

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
    /// <summary>The account's address was replaced after the link was mailed. The new address has a link of its own.</summary>
    AddressChanged,
}
