using RabbitMQ.Client;
using Signup.EventLog;

namespace Signup.Hosting.RabbitMq;

/// <summary>
/// Everything that lasts on the broker, in one place: each queue with the exchange of its name, and one exchange per kind of event, for whoever subscribes.
/// This is NServiceBus's conventional routing topology, so that its endpoints can take part. Our own need no subscription that lasts: they follow the log (<see cref="Following.NewsListener"/>).
/// </summary>
public static class Topology
{
    public const string Accounts = "accounts", Uniqueness = "uniqueness", Mail = "mail", Query = "query", Error = "error";

    /// <summary>The exchange that an event is published to.</summary>
    public static string ExchangeOf(Type eventMessage) => $"{eventMessage.Namespace}:{eventMessage.Name}";

    /// <summary>Declares all of it; repeating does no harm. An existing queue of another shape stops the start with RabbitMQ's own words.</summary>
    public static async Task DeclareAsync(IChannel channel, CancellationToken cancellation)
    {
        foreach (var queue in new[] { Accounts, Uniqueness, Mail, Query, Error })
            await DeclareQueueAsync(channel, queue, cancellation);
        foreach (var type in EventTypes.All)
            await channel.ExchangeDeclareAsync(ExchangeOf(type.Message), ExchangeType.Fanout, durable: true, cancellationToken: cancellation);
    }

    /// <summary>Declares the queue of an endpoint that takes commands, or none yet.</summary>
    public static async Task DeclareEndpointAsync(IChannel channel, string name, CancellationToken cancellation)
    {
        await DeclareQueueAsync(channel, name, cancellation);
        // Earlier versions had it bound to events.
        foreach (var type in EventTypes.All) await channel.ExchangeUnbindAsync(name, ExchangeOf(type.Message), routingKey: "", cancellationToken: cancellation);
    }

    /// <summary>A replicated, durable queue with an exchange of the same name. Any other argument would differ from what
    /// NServiceBus and ServiceControl declare, and the broker would refuse one of the two.</summary>
    public static async Task DeclareQueueAsync(IChannel channel, string name, CancellationToken cancellation)
    {
        await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: cancellation);
        await channel.ExchangeDeclareAsync(name, ExchangeType.Fanout, durable: true, cancellationToken: cancellation);
        await channel.QueueBindAsync(name, name, routingKey: "", cancellationToken: cancellation);
    }
}
