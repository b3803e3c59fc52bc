using RabbitMQ.Client;

namespace Signup.Tests.Integration.Operations;

/// <summary>Properties that the broker keeps and RabbitMQ's client for .NET cannot read: a header that is a decimal of 99 places.</summary>
internal sealed class Unreadable : IReadOnlyBasicProperties, IAmqpHeader
{
    // Flags: headers alone; 8 bytes of them: a name of one letter, 'D', the places, the number.
    private static readonly byte[] Bytes = [0x20, 0x00, 0, 0, 0, 8, 1, (byte)'x', (byte)'D', 99, 0, 0, 0, 1];

    ushort IAmqpHeader.ProtocolClassId => 60;

    int IAmqpWriteable.GetRequiredBufferSize() => Bytes.Length;

    int IAmqpWriteable.WriteTo(Span<byte> span)
    {
        Bytes.CopyTo(span);
        return Bytes.Length;
    }

    public string? AppId => null;
    public string? ClusterId => null;
    public string? ContentEncoding => null;
    public string? ContentType => null;
    public string? CorrelationId => null;
    public DeliveryModes DeliveryMode => default;
    public string? Expiration => null;
    public IDictionary<string, object?>? Headers => null;
    public string? MessageId => null;
    public bool Persistent => false;
    public byte Priority => 0;
    public string? ReplyTo => null;
    public PublicationAddress? ReplyToAddress => null;
    public AmqpTimestamp Timestamp => default;
    public string? Type => null;
    public string? UserId => null;
    public bool IsAppIdPresent() => false;
    public bool IsClusterIdPresent() => false;
    public bool IsContentEncodingPresent() => false;
    public bool IsContentTypePresent() => false;
    public bool IsCorrelationIdPresent() => false;
    public bool IsDeliveryModePresent() => false;
    public bool IsExpirationPresent() => false;
    public bool IsHeadersPresent() => true;
    public bool IsMessageIdPresent() => false;
    public bool IsPriorityPresent() => false;
    public bool IsReplyToPresent() => false;
    public bool IsTimestampPresent() => false;
    public bool IsTypePresent() => false;
    public bool IsUserIdPresent() => false;
}
