namespace Signup.Hosting;

/// <summary>Header names of NServiceBus's wire format.</summary>
public static class Headers
{
    public const string MessageId = "NServiceBus.MessageId";
    public const string EnclosedMessageTypes = "NServiceBus.EnclosedMessageTypes";
    public const string MessageIntent = "NServiceBus.MessageIntent";
    public const string ConversationId = "NServiceBus.ConversationId";
    public const string CorrelationId = "NServiceBus.CorrelationId";
    public const string ReplyToAddress = "NServiceBus.ReplyToAddress";
    public const string ContentType = "NServiceBus.ContentType";
    public const string TimeSent = "NServiceBus.TimeSent";
    public const string OriginatingEndpoint = "NServiceBus.OriginatingEndpoint";
    public const string OriginatingMachine = "NServiceBus.OriginatingMachine";
    public const string OriginatingHostId = "$.diagnostics.originating.hostid";
    public const string TraceParent = "traceparent";

    public const string Json = "application/json";
}
