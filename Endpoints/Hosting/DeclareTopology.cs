using Microsoft.Extensions.Logging;
using RabbitMQ.Client.Exceptions;

namespace Signup.Hosting;

/// <summary>Declares the topology before anything else starts, and waits for a broker that is not there yet.</summary>
internal sealed class DeclareTopology(Broker broker, IEnumerable<Subscription> subscriptions, ILogger<DeclareTopology> logger) : Preparation("RabbitMQ", logger)
{
    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        await using var channel = await broker.OpenChannelAsync(cancellation);
        await Topology.DeclareAsync(channel, cancellation);
        foreach (var subscription in subscriptions) await Topology.SubscribeAsync(channel, subscription, cancellation);
    }

    /// <summary>The broker may be starting or stopping; 403 to 406 say that this user may not, or that something of another shape is there.</summary>
    protected override bool MayPass(Exception e) => e is BrokerUnreachableException or IOException or TimeoutException
        || e is OperationInterruptedException { ShutdownReason: null or { ReplyCode: < 403 or > 406 } };
}
