using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using RabbitMQ.Client;
using Signup.EventLog;

namespace Signup.Hosting.RabbitMq;

/// <summary>How a message looks on the wire: NServiceBus's headers on RabbitMQ and PascalCase JSON, in one place.</summary>
public sealed class Wire(EndpointIdentity identity)
{
    public static readonly JsonSerializerOptions Json = Configure(new JsonSerializerOptions { TypeInfoResolverChain = { MessageContracts.Default, new DefaultJsonTypeInfoResolver() } });

    /// <summary>Stands where a message does not say what it is.</summary>
    public const string UnknownType = "unknown";

    private static readonly Dictionary<string, Type> Contracts = typeof(Messages.Accounts.SignUp).Assembly.GetExportedTypes().ToDictionary(t => t.FullName!);

    /// <summary>NServiceBus's date format: UTC, colon before six fraction digits.</summary>
    private const string DateFormat = "yyyy-MM-dd HH:mm:ss:ffffff 'Z'";

    /// <summary>The end of the year 9999, in seconds since 1970.</summary>
    private const long LastMoment = 253_402_300_799;

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
            ContentType = WireHeaders.Json,
            ReplyTo = replyTo,
            Headers = new Dictionary<string, object?>
            {
                [WireHeaders.MessageId] = messageId.ToString(),
                [WireHeaders.EnclosedMessageTypes] = message.AssemblyQualifiedName,
                [WireHeaders.MessageIntent] = intent,
                [WireHeaders.CorrelationId] = correlationId,
                [WireHeaders.ConversationId] = Cause.Current?.ConversationId ?? correlationId,
                [WireHeaders.ContentType] = WireHeaders.Json,
                [WireHeaders.TimeSent] = Date(DateTimeOffset.UtcNow),
                [WireHeaders.OriginatingEndpoint] = identity.Name,
                [WireHeaders.OriginatingMachine] = identity.Machine,
                [WireHeaders.OriginatingHostId] = identity.HostId.ToString("N"),
            },
        };
        if (replyTo is not null) properties.Headers[WireHeaders.ReplyToAddress] = replyTo;
        if (Cause.Current?.MessageId is { } cause) properties.Headers[WireHeaders.RelatedTo] = cause;
        if (Cause.Current?.Actor is { } actor) properties.Headers[WireHeaders.Actor] = actor;
        if ((Cause.Current?.TraceParent ?? Activity.Current?.Id) is { } trace) properties.Headers[WireHeaders.TraceParent] = trace;
        return properties;
    }

    /// <summary>A message that came in, as it goes out again: for the queues <c>error</c> and <c>audit</c>. Who has sent it, and when, only its sender says: an operator's tool takes every name for an instance that lives somewhere.</summary>
    public static BasicProperties Copy(Incoming message)
    {
        var headers = message.Headers.ToDictionary(h => h.Key, h => (object?)h.Value);
        headers.TryAdd(WireHeaders.EnclosedMessageTypes, Contract(message.Type)?.AssemblyQualifiedName ?? message.Type);
        headers.TryAdd(WireHeaders.MessageIntent, EventTypes.All.Any(t => t.Message.FullName == message.Type) ? "Publish" : "Send");
        headers.TryAdd(WireHeaders.CorrelationId, message.CorrelationId);
        // As of all that it led to.
        headers.TryAdd(WireHeaders.ConversationId, message.CorrelationId);
        headers.TryAdd(WireHeaders.ContentType, WireHeaders.Json);
        return new BasicProperties
        {
            Persistent = true,
            MessageId = message.MessageId,
            CorrelationId = message.CorrelationId,
            Type = ((string)headers[WireHeaders.EnclosedMessageTypes]!).Split(',', ';')[0].Trim(),
            ContentType = (string)headers[WireHeaders.ContentType]!,
            // RabbitMQ's own address for direct replies may stand there only while its asker is connected.
            ReplyTo = message.ReplyTo is { } replyTo && !replyTo.StartsWith("amq.", StringComparison.Ordinal) ? replyTo : null,
            Headers = headers,
        };
    }

    /// <summary>Whatever a sender has written, this throws nothing. All bodies are JSON, also where a sender says nothing or "application/octet-stream"; what is not fails, and says so.</summary>
    public static Incoming Read(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var headers = Texts(properties.Headers);
        // What stands in both is as the sender's transport wrote it.
        Overwrite(WireHeaders.ReplyToAddress, properties.ReplyTo);
        Overwrite(WireHeaders.CorrelationId, properties.CorrelationId);
        Overwrite(WireHeaders.ContentType, properties.ContentType);
        if (!headers.ContainsKey(WireHeaders.EnclosedMessageTypes)) Overwrite(WireHeaders.EnclosedMessageTypes, properties.Type);
        // A message that names itself nowhere gets a name, so that it can be told from others should it fail.
        if (!headers.ContainsKey(WireHeaders.MessageId)) headers[WireHeaders.MessageId] = string.IsNullOrEmpty(properties.MessageId) ? Guid.CreateVersion7().ToString() : properties.MessageId;

        return new Incoming(headers, body)
        {
            // A retry from ServiceControl has the same AMQP message id every time. Whoever remembers ids must not take the second for the first.
            Id = !headers.ContainsKey(WireHeaders.RetryUniqueMessageId) && Guid.TryParse(headers[WireHeaders.MessageId], out var id) ? id : Guid.CreateVersion7(),
            Type = TypeName(headers.GetValueOrDefault(WireHeaders.EnclosedMessageTypes)),
        };

        void Overwrite(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value)) headers[key] = value;
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

    private static Type? Contract(string name) => Contracts.GetValueOrDefault(name);

    /// <summary>Where the message has been before is no part of it.</summary>
    private static bool IsBrokers(string header) => header is "x-delivery-count" or "x-death" || header.StartsWith("x-first-death-", StringComparison.Ordinal);

    private static string? Text(object? value) => value switch
    {
        null => null,
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        AmqpTimestamp { UnixTime: >= 0 and <= LastMoment } time => Date(DateTimeOffset.FromUnixTimeSeconds(time.UnixTime)),
        AmqpTimestamp never => never.UnixTime.ToString(CultureInfo.InvariantCulture),
        IEnumerable<object?> many => string.Join(';', many.Select(Text)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };
}
