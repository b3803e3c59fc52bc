using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using RabbitMQ.Client;
using Wolverine;
using Wolverine.RabbitMQ.Internal;

namespace Signup.Hosting;

/// <summary>How a message looks on the wire: NServiceBus's headers on RabbitMQ and PascalCase JSON, in one place.</summary>
public sealed class Wire(EndpointIdentity identity) : IRabbitMqEnvelopeMapper
{
    public static readonly JsonSerializerOptions Json = Configure(new JsonSerializerOptions());

    /// <summary>NServiceBus's date format: UTC, colon before six fraction digits.</summary>
    private const string DateFormat = "yyyy-MM-dd HH:mm:ss:ffffff 'Z'";

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = null;
        options.PropertyNameCaseInsensitive = true;
        options.Converters.Add(new JsonStringEnumConverter());
        return options;
    }

    /// <summary>The properties of a message that this process sends, outside a handler or within one.</summary>
    /// <param name="intent"><c>Send</c>, <c>Publish</c> or <c>Reply</c>.</param>
    /// <param name="replyTo">Where the answer is to go, or null.</param>
    public BasicProperties Describe(Type message, Guid messageId, string intent, string? replyTo, string correlationId)
    {
        var properties = new BasicProperties
        {
            Persistent = true,
            MessageId = messageId.ToString(),
            CorrelationId = correlationId,
            Type = message.FullName,
            ContentType = Headers.Json,
            ReplyTo = replyTo,
            Headers = new Dictionary<string, object?>
            {
                [Headers.MessageId] = messageId.ToString(),
                [Headers.EnclosedMessageTypes] = message.AssemblyQualifiedName,
                [Headers.MessageIntent] = intent,
                [Headers.CorrelationId] = correlationId,
                [Headers.ConversationId] = correlationId,
                [Headers.ContentType] = Headers.Json,
                [Headers.TimeSent] = DateTimeOffset.UtcNow.ToString(DateFormat, CultureInfo.InvariantCulture),
                [Headers.OriginatingEndpoint] = identity.Name,
                [Headers.OriginatingMachine] = Environment.MachineName,
                [Headers.OriginatingHostId] = identity.HostId.ToString("N"),
            },
        };
        if (replyTo is not null) properties.Headers[Headers.ReplyToAddress] = replyTo;
        if (Activity.Current?.Id is { } trace) properties.Headers[Headers.TraceParent] = trace;
        return properties;
    }

    /// <summary>Outgoing from the outbox and for the error queue.</summary>
    public void MapEnvelopeToOutgoing(Envelope envelope, IBasicProperties outgoing)
    {
        outgoing.Persistent = true;
        outgoing.MessageId = envelope.Id.ToString();
        outgoing.CorrelationId = envelope.CorrelationId;
        outgoing.Type = envelope.MessageType;
        outgoing.ContentType = envelope.ContentType ?? Headers.Json;
        outgoing.Headers ??= new Dictionary<string, object?>();
        foreach (var (key, value) in envelope.Headers) outgoing.Headers[key] = value;
        Default(Headers.MessageId, envelope.Id.ToString());
        Default(Headers.EnclosedMessageTypes, envelope.Message?.GetType().AssemblyQualifiedName ?? envelope.MessageType);
        Default(Headers.MessageIntent, "Publish");
        Default(Headers.CorrelationId, envelope.CorrelationId);
        Default(Headers.ConversationId, envelope.ConversationId.ToString());
        Default(Headers.ContentType, outgoing.ContentType);
        Default(Headers.TimeSent, envelope.SentAt.ToUniversalTime().ToString(DateFormat, CultureInfo.InvariantCulture));
        Default(Headers.OriginatingEndpoint, identity.Name);
        Default(Headers.OriginatingMachine, Environment.MachineName);
        Default(Headers.OriginatingHostId, identity.HostId.ToString("N"));
        Default(Headers.TraceParent, envelope.ParentId);

        void Default(string key, string? value)
        {
            if (value is not null) outgoing.Headers!.TryAdd(key, value);
        }
    }

    public void MapIncomingToEnvelope(Envelope envelope, IReadOnlyBasicProperties incoming)
    {
        if (incoming.Headers is { } headers)
            foreach (var (key, value) in headers)
                envelope.Headers[key] = value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : value?.ToString();
        if (incoming.ReplyTo is { } replyTo) envelope.Headers[Headers.ReplyToAddress] = replyTo;
        envelope.Id = Guid.TryParse(incoming.MessageId, out var id) ? id : Guid.CreateVersion7();
        envelope.CorrelationId = incoming.CorrelationId ?? Header(Headers.CorrelationId) ?? incoming.MessageId;
        envelope.ConversationId = Guid.TryParse(Header(Headers.ConversationId), out var conversation) ? conversation : envelope.Id;
        envelope.MessageType = incoming.Type ?? Header(Headers.EnclosedMessageTypes)?.Split(',', ';')[0].Trim();
        envelope.ContentType = Headers.Json;
        envelope.ParentId = Header(Headers.TraceParent);
        envelope.SentAt = DateTimeOffset.TryParseExact(Header(Headers.TimeSent), DateFormat, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal, out var sent) ? sent : DateTimeOffset.UtcNow;

        string? Header(string key) => envelope.Headers.GetValueOrDefault(key);
    }
}
