using System.Text.Json.Serialization;

namespace Signup.Messages.Accounts;

/// <summary>Reply to a command of somebody who is signed in, sent after what it led to is in the log.</summary>
public sealed record AccountVerdict(Guid AccountId, AccountOutcome Outcome);

[JsonConverter(typeof(JsonStringEnumConverter<AccountOutcome>))]
public enum AccountOutcome
{
    /// <summary>It is as was asked for; also the answer to a repetition.</summary>
    Done,
    /// <summary>There is no such account, or none any more.</summary>
    Unknown,
    /// <summary>What was shown to be entitled to it does not hold.</summary>
    Refused,
}
