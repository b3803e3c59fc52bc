namespace Signup.EventLog.Operations;

// What operators did to failed messages: one stream per failed message.

/// <summary>An operator sent it to its queue once more.</summary>
public sealed record MessageRetried(Guid FailureId, Guid ActId, string MessageType, string Queue, string By, DateTimeOffset RetriedAt);

/// <summary>An operator took it out of the queue <c>error</c> for good.</summary>
public sealed record MessageDiscarded(Guid FailureId, Guid ActId, string MessageType, string Queue, string By, string Reason, DateTimeOffset DiscardedAt);
