using RabbitMQ.Client;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;

namespace Signup.Tests.Fixture;

/// <summary>What an NServiceBus endpoint does at its start.</summary>
public static class Partner
{
    /// <summary>Declares its queue, and binds it to the events it wants to hear of; all where none is named.</summary>
    public static async Task SubscribeAsync(IChannel channel, string queue, params IReadOnlyList<Type> events)
    {
        await Topology.DeclareAsync(channel, Wait.Token);
        await Topology.DeclareQueueAsync(channel, queue, Wait.Token);
        foreach (var e in events.Count > 0 ? events : [.. EventTypes.All.Select(t => t.Message)])
            await channel.ExchangeBindAsync(queue, Topology.ExchangeOf(e), routingKey: "", cancellationToken: Wait.Token);
    }
}
