namespace Signup.Hosting.RabbitMq;

/// <summary>Header names of NServiceBus's wire format, and those that ServiceControl adds to it.</summary>
public static class WireHeaders
{
    public const string MessageId = "NServiceBus.MessageId";
    public const string EnclosedMessageTypes = "NServiceBus.EnclosedMessageTypes";
    public const string MessageIntent = "NServiceBus.MessageIntent";
    public const string ConversationId = "NServiceBus.ConversationId";
    public const string CorrelationId = "NServiceBus.CorrelationId";
    public const string RelatedTo = "NServiceBus.RelatedTo";
    public const string ReplyToAddress = "NServiceBus.ReplyToAddress";
    public const string ContentType = "NServiceBus.ContentType";
    public const string TimeSent = "NServiceBus.TimeSent";
    public const string ControlMessage = "NServiceBus.ControlMessage";

    public const string OriginatingEndpoint = "NServiceBus.OriginatingEndpoint";
    public const string OriginatingMachine = "NServiceBus.OriginatingMachine";
    public const string OriginatingHostId = "$.diagnostics.originating.hostid";

    public const string ProcessingEndpoint = "NServiceBus.ProcessingEndpoint";
    public const string ProcessingMachine = "NServiceBus.ProcessingMachine";
    public const string ProcessingStarted = "NServiceBus.ProcessingStarted";
    public const string ProcessingEnded = "NServiceBus.ProcessingEnded";
    public const string HostId = "$.diagnostics.hostid";
    public const string HostDisplayName = "$.diagnostics.hostdisplayname";

    public const string FailedQ = "NServiceBus.FailedQ";
    public const string TimeOfFailure = "NServiceBus.TimeOfFailure";
    public const string ExceptionInfo = "NServiceBus.ExceptionInfo.";
    public const string ExceptionType = ExceptionInfo + "ExceptionType";
    public const string InnerExceptionType = ExceptionInfo + "InnerExceptionType";
    public const string ExceptionMessage = ExceptionInfo + "Message";
    public const string ExceptionSource = ExceptionInfo + "Source";
    public const string ExceptionStackTrace = ExceptionInfo + "StackTrace";

    /// <summary>How often an endpoint has tried in place, and later: said about one stay in a queue only.</summary>
    public const string Retries = "NServiceBus.Retries", DelayedRetries = "NServiceBus.FLRetries";

    public const string MetricType = "NServiceBus.Metric.Type";

    public const string RetryUniqueMessageId = "ServiceControl.Retry.UniqueMessageId";
    public const string RetryAcknowledgementQueue = "ServiceControl.Retry.AcknowledgementQueue";
    public const string RetrySuccessful = "ServiceControl.Retry.Successful";
    public const string RetryAcknowledgementSent = "ServiceControl.Retry.AcknowledgementSent";

    /// <summary>Ours: who is behind it, see <see cref="EventLog.Actors"/>.</summary>
    public const string Actor = "Signup.Actor";

    /// <summary>W3C Trace Context.</summary>
    public const string TraceParent = "traceparent";

    public const string Json = "application/json";
}
