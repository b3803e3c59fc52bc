using System.Text;
using RabbitMQ.Client;

namespace Signup.Tests.Integration.Operations;

/// <summary>A message as its receiver got it.</summary>
public sealed record Delivery(BasicProperties Properties, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>What RabbitMQ's client for .NET writes by itself where it waits for the broker's confirmation.</summary>
    private const string SequenceNumber = "x-dotnet-pub-seq-no";

    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Without what tracing and the client library have added, which is each sender's own affair.</summary>
    public IEnumerable<KeyValuePair<string, string>> OwnHeaders => Headers.Where(h => h.Key is not (Hosting.Headers.TraceParent or "tracestate" or SequenceNumber));

    public static Delivery Of(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body) => new(new BasicProperties(properties),
        (properties.Headers ?? new Dictionary<string, object?>()).ToDictionary(h => h.Key, h => h.Value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : $"{h.Value}"), body.ToArray());
}
