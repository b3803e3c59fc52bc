using Signup.EventLog;

namespace Signup.Hosting.RabbitMq;

/// <summary>A message as it came in: see <see cref="Wire.Read"/>.</summary>
/// <param name="Headers">As text, without the broker's own.</param>
/// <param name="Body">Valid until the message has been handled.</param>
public sealed record Incoming(Dictionary<string, string> Headers, ReadOnlyMemory<byte> Body)
{
    /// <summary>Of this delivery: the message's own, where that is a Guid and nobody has sent the message back.</summary>
    public required Guid Id { get; init; }

    /// <summary>Full name of what it is, as far as it says so; of several that it claims to be, the first that is known here.</summary>
    public required string Type { get; init; }

    /// <summary>Whichever form its sender's ids have.</summary>
    public string MessageId => Headers[WireHeaders.MessageId];

    public string CorrelationId => this[WireHeaders.CorrelationId] ?? MessageId;

    /// <summary>Null: nobody awaits an answer.</summary>
    public string? ReplyTo => this[WireHeaders.ReplyToAddress];

    public string? TraceParent => this[WireHeaders.TraceParent];

    public string? this[string header] => Headers.GetValueOrDefault(header);

    /// <summary>What it leads to is caused by it.</summary>
    public Cause AsCause() => new(MessageId, this[WireHeaders.ConversationId], CorrelationId, Actor: this[WireHeaders.Actor] ?? this[WireHeaders.OriginatingEndpoint]);
}
