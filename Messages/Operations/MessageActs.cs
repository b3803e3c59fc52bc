using System.Text.Json.Serialization;

namespace Signup.Messages.Operations;

/// <summary>Command, sent by the gateway's page for operators to <c>accounts</c> before it acts on a failed message, so that no act is without its fact.</summary>
/// <param name="ActId">The same act again is the same fact.</param>
/// <param name="FailureId">The failed message at its endpoint, as ServiceControl names it: MD5 of message id and endpoint.</param>
/// <param name="MessageType">Full name.</param>
/// <param name="Queue">Where it failed, and where it is sent again.</param>
/// <param name="By">The operator, as he called himself.</param>
/// <param name="Reason">Why it is discarded; null for a retry.</param>
public sealed record RecordMessageAct(Guid ActId, Guid FailureId, MessageAct Act, string MessageType, string Queue, string By, string? Reason, DateTimeOffset At);

[JsonConverter(typeof(JsonStringEnumConverter<MessageAct>))]
public enum MessageAct
{
    /// <summary>Sent to its queue once more.</summary>
    Retried,
    /// <summary>Taken out of <c>error</c> for good.</summary>
    Discarded,
}

/// <summary>Event: an operator sent a failed message to its queue once more. Committed by Accounts.</summary>
public sealed record MessageRetried(Guid FailureId, long Version, Guid ActId, string MessageType, string Queue, string By, DateTimeOffset RetriedAt);

/// <summary>Event: an operator took a failed message out of <c>error</c> for good. Committed by Accounts.</summary>
public sealed record MessageDiscarded(Guid FailureId, long Version, Guid ActId, string MessageType, string Queue, string By, string Reason, DateTimeOffset DiscardedAt);
