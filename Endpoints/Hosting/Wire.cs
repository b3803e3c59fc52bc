using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using RabbitMQ.Client;
using Signup.EventLog;
using Wolverine;
using Wolverine.RabbitMQ.Internal;

namespace Signup.Hosting;

/// <summary>How a message looks on the wire: NServiceBus's headers on RabbitMQ and PascalCase JSON, in one place.</summary>
public sealed class Wire(EndpointIdentity identity) : IRabbitMqEnvelopeMapper
{
    public static readonly JsonSerializerOptions Json = Configure(new JsonSerializerOptions());

    /// <summary>Stands where a message does not say what it is.</summary>
    public const string UnknownType = "unknown";

    /// <summary>NServiceBus's date format: UTC, colon before six fraction digits.</summary>
    private const string DateFormat = "yyyy-MM-dd HH:mm:ss:ffffff 'Z'";

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = null;
        options.PropertyNameCaseInsensitive = true;
        options.Converters.Add(new JsonStringEnumConverter());
        return options;
    }

    /// <summary>A moment as headers say it.</summary>
    public static string Date(DateTimeOffset moment) => moment.ToUniversalTime().ToString(DateFormat, CultureInfo.InvariantCulture);

    /// <summary>The moment that a header says, or null where it says none.</summary>
    public static DateTimeOffset? ReadDate(string? header) =>
        DateTimeOffset.TryParseExact(header, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment : null;

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
                [Headers.ConversationId] = Cause.Current?.ConversationId ?? correlationId,
                [Headers.ContentType] = Headers.Json,
                [Headers.TimeSent] = Date(DateTimeOffset.UtcNow),
                [Headers.OriginatingEndpoint] = identity.Name,
                [Headers.OriginatingMachine] = identity.Machine,
                [Headers.OriginatingHostId] = identity.HostId.ToString("N"),
            },
        };
        if (replyTo is not null) properties.Headers[Headers.ReplyToAddress] = replyTo;
        if (Cause.Current?.MessageId is { } cause) properties.Headers[Headers.RelatedTo] = cause;
        if ((Cause.Current?.TraceParent ?? Activity.Current?.Id) is { } trace) properties.Headers[Headers.TraceParent] = trace;
        return properties;
    }

    /// <summary>What is caused by a message that came in.</summary>
    public static Cause CauseOf(Envelope incoming) =>
        new(incoming.Headers.GetValueOrDefault(Headers.MessageId), incoming.Headers.GetValueOrDefault(Headers.ConversationId), incoming.CorrelationId);

    /// <summary>As it came, for the queues <c>error</c> and <c>audit</c>.</summary>
    public void MapEnvelopeToOutgoing(Envelope envelope, IBasicProperties outgoing)
    {
        outgoing.Headers ??= new Dictionary<string, object?>();
        foreach (var (key, value) in envelope.Headers)
            if (value is not null) outgoing.Headers[key] = value;
        Default(Headers.MessageId, envelope.Id.ToString());
        Default(Headers.EnclosedMessageTypes, QualifiedName(envelope));
        Default(Headers.MessageIntent, EventTypes.All.Any(t => t.Message.FullName == envelope.MessageType) ? "Publish" : "Send");
        Default(Headers.CorrelationId, envelope.CorrelationId);
        Default(Headers.ConversationId, envelope.ConversationId.ToString());
        Default(Headers.ContentType, envelope.ContentType ?? Headers.Json);
        Default(Headers.TimeSent, Date(envelope.SentAt));
        Default(Headers.OriginatingEndpoint, identity.Name);
        Default(Headers.OriginatingMachine, identity.Machine);
        Default(Headers.OriginatingHostId, identity.HostId.ToString("N"));
        Default(Headers.TraceParent, envelope.ParentId);

        outgoing.Persistent = true;
        outgoing.MessageId = Header(Headers.MessageId);
        outgoing.CorrelationId = Header(Headers.CorrelationId);
        outgoing.Type = Header(Headers.EnclosedMessageTypes)!.Split(',', ';')[0].Trim();
        outgoing.ContentType = Header(Headers.ContentType);
        // RabbitMQ's own address for direct replies may stand there only while its asker is connected.
        if (Header(Headers.ReplyToAddress) is { } replyTo && !replyTo.StartsWith("amq.", StringComparison.Ordinal)) outgoing.ReplyTo = replyTo;

        string? Header(string key) => outgoing.Headers!.TryGetValue(key, out var value) ? (string?)value : null;
        void Default(string key, string? value)
        {
            if (value is not null) outgoing.Headers!.TryAdd(key, value);
        }
    }

    public void MapIncomingToEnvelope(Envelope envelope, IReadOnlyBasicProperties incoming)
    {
        foreach (var (key, text) in Texts(incoming.Headers)) envelope.Headers[key] = text;
        // What stands in both is as the sender's transport wrote it.
        Overwrite(Headers.ReplyToAddress, incoming.ReplyTo);
        Overwrite(Headers.CorrelationId, incoming.CorrelationId);
        Overwrite(Headers.ContentType, incoming.ContentType);
        if (Header(Headers.EnclosedMessageTypes) is null) Overwrite(Headers.EnclosedMessageTypes, incoming.Type);
        // A message that names itself nowhere gets a name, so that it can be told from others should it fail.
        if (Header(Headers.MessageId) is null) Overwrite(Headers.MessageId, string.IsNullOrEmpty(incoming.MessageId) ? Guid.CreateVersion7().ToString() : incoming.MessageId);

        // A retry from ServiceControl has the same AMQP message id every time. Whoever remembers ids must not take the second for the first.
        envelope.Id = Header(Headers.RetryUniqueMessageId) is null && Guid.TryParse(Header(Headers.MessageId), out var id) ? id : Guid.CreateVersion7();
        envelope.CorrelationId = Header(Headers.CorrelationId) ?? Header(Headers.MessageId);
        envelope.ConversationId = Guid.TryParse(Header(Headers.ConversationId), out var conversation) ? conversation : envelope.Id;
        envelope.MessageType = TypeName(Header(Headers.EnclosedMessageTypes));
        // All bodies are JSON, also where a sender says nothing or "application/octet-stream"; what is not fails, and says so.
        envelope.ContentType = Headers.Json;
        envelope.ParentId = Header(Headers.TraceParent);
        envelope.SentAt = ReadDate(Header(Headers.TimeSent)) ?? DateTimeOffset.UtcNow;

        string? Header(string key) => envelope.Headers.GetValueOrDefault(key);
        void Overwrite(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value)) envelope.Headers[key] = value;
        }
    }

    /// <summary>A message's headers as text, whatever AMQP type each has, without those of the broker.</summary>
    internal static Dictionary<string, string> Texts(IDictionary<string, object?>? headers)
    {
        var texts = new Dictionary<string, string>();
        foreach (var (key, value) in headers ?? new Dictionary<string, object?>())
            if (!IsBrokers(key) && Text(value) is { } text) texts[key] = text;
        return texts;
    }

    /// <summary>The first of the enclosed types that is ours; they are listed from the most derived on.</summary>
    private static string TypeName(string? enclosed)
    {
        var names = (enclosed ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries).Select(t => t.Split(',')[0].Trim()).ToList();
        return names.FirstOrDefault(n => Contract(n) is not null) ?? names.FirstOrDefault() ?? UnknownType;
    }

    private static string QualifiedName(Envelope envelope) =>
        (envelope.Message?.GetType() ?? Contract(envelope.MessageType))?.AssemblyQualifiedName ?? envelope.MessageType ?? UnknownType;

    private static Type? Contract(string? name) => name is null ? null : typeof(Messages.Accounts.SignUp).Assembly.GetType(name);

    /// <summary>Where the message has been before is no part of it.</summary>
    private static bool IsBrokers(string header) => header is "x-delivery-count" or "x-death" || header.StartsWith("x-first-death-", StringComparison.Ordinal);

    private static string? Text(object? value) => value switch
    {
        null => null,
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        AmqpTimestamp time => Date(DateTimeOffset.FromUnixTimeSeconds(time.UnixTime)),
        IEnumerable<object?> many => string.Join(';', many.Select(Text)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };
}
