using System.Text.Json.Serialization;

namespace Signup.Messages.Mail;

/// <summary>Command, sent by the gateway to <c>mail</c>: whoever signed up asks for the activation mail again. Answered with a <see cref="ResendVerdict"/>.</summary>
public sealed record ResendActivationMail(Guid AccountId, DateTimeOffset RequestedAt);

/// <summary>Reply to <see cref="ResendActivationMail"/>, sent after the decision is committed.</summary>
/// <param name="NextAt">When it may be asked for again, where that is too soon now; else null.</param>
public sealed record ResendVerdict(Guid AccountId, ResendOutcome Outcome, DateTimeOffset? NextAt);

[JsonConverter(typeof(JsonStringEnumConverter<ResendOutcome>))]
public enum ResendOutcome
{
    /// <summary>It is on its way: it was put in line now, or is there since before.</summary>
    Sending,
    /// <summary>It was sent a moment ago, or as often as is allowed in a day.</summary>
    TooSoon,
    /// <summary>The account is active, or is over, or whoever reads mail there did not want ours: none follows.</summary>
    NotAny,
}
