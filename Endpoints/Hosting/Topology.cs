using RabbitMQ.Client;
using Signup.EventLog;

namespace Signup.Hosting;

/// <summary>A consumer that the others need not know of: its queue, and the events it subscribes to. Registered as a service of its process.</summary>
public sealed record Subscription(string Queue, IEnumerable<Type> Events);

/// <summary>
/// Everything that exists on the broker, in one place: each queue with the exchange of its name, and one exchange per kind of event,
/// bound to whoever subscribes. This is NServiceBus's conventional routing topology, so that its endpoints can take part.
/// Every process declares all of it before it publishes, so that no event is lost because its consumer has not started yet.
/// </summary>
public static class Topology
{
    public const string Accounts = "accounts", Uniqueness = "uniqueness", Mail = "mail", Query = "query", Error = "error";

    /// <summary>Who gets which events. A new consumer adds its own line, or registers a <see cref="Subscription"/>.</summary>
    private static readonly Dictionary<string, IEnumerable<Type>> Subscriptions = new()
    {
        [Mail] = MessagesOf("AccountCreated", "AccountActivated", "AccountExpired", "EmailChanged", "AccountDeleted", "MailBounced", "MailComplained"),
        [Query] = EventTypes.All.Select(t => t.Message),
    };

    /// <summary>The exchange that an event is published to.</summary>
    public static string ExchangeOf(Type eventMessage) => $"{eventMessage.Namespace}:{eventMessage.Name}";

    /// <summary>Declares all of it; repeating does no harm. An existing queue of another shape stops the start with RabbitMQ's own words.</summary>
    public static async Task DeclareAsync(IChannel channel, CancellationToken cancellation)
    {
        foreach (var queue in new[] { Accounts, Uniqueness, Mail, Query, Error })
            await DeclareQueueAsync(channel, queue, cancellation);
        foreach (var type in EventTypes.All)
            await channel.ExchangeDeclareAsync(ExchangeOf(type.Message), ExchangeType.Fanout, durable: true, cancellationToken: cancellation);
        foreach (var (subscriber, events) in Subscriptions)
            foreach (var e in events)
                await channel.ExchangeBindAsync(subscriber, ExchangeOf(e), routingKey: "", cancellationToken: cancellation);
    }

    /// <summary>Declares the queue of a consumer from outside, and binds it to its events.</summary>
    public static async Task SubscribeAsync(IChannel channel, Subscription subscription, CancellationToken cancellation)
    {
        await DeclareQueueAsync(channel, subscription.Queue, cancellation);
        foreach (var e in subscription.Events)
            await channel.ExchangeBindAsync(subscription.Queue, ExchangeOf(e), routingKey: "", cancellationToken: cancellation);
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

    private static IEnumerable<Type> MessagesOf(params string[] names) => names.Select(n => EventTypes.Find(n)!.Message);
}
