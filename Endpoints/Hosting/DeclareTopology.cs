using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client.Exceptions;

namespace Signup.Hosting;

/// <summary>Declares the topology before anything else starts, and waits for a broker that is not there yet.</summary>
internal sealed partial class DeclareTopology(Broker broker, IEnumerable<Subscription> subscriptions, ILogger<DeclareTopology> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await using var channel = await broker.OpenChannelAsync(cancellationToken);
                await Topology.DeclareAsync(channel, cancellationToken);
                foreach (var subscription in subscriptions) await Topology.SubscribeAsync(channel, subscription, cancellationToken);
                return;
            }
            catch (BrokerUnreachableException e)
            {
                BrokerAway(logger, e.InnerException?.Message ?? e.Message);
                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "RabbitMQ cannot be reached, trying again: {Reason}")]
    private static partial void BrokerAway(ILogger logger, string reason);
}
