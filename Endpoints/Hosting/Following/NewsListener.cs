using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Following;

/// <summary>The events, as messages, that tell a process that there is something new for it in the log.</summary>
internal sealed record News(IReadOnlyList<Type> Events);

/// <summary>
/// Wakes the process when something has happened. What it is stands in the log, so nothing is read from the message, none is waited for, and one that is lost costs half a second:
/// the queue is the process's own, holds the latest one in memory, and goes with it. However much happens, the broker hands out one each time that the one before is acknowledged.
/// </summary>
internal sealed class NewsListener([FromKeyedServices(Listener.Connection)] Broker broker, News news, WakeUp wakeUp, EndpointIdentity self, ILogger<NewsListener> logger)
    : Listener(broker, $"{self.Name}.news", concurrency: 1, logger)
{
    protected override async Task<string> PrepareAsync(IChannel channel, bool missing, CancellationToken cancellation)
    {
        if (missing) await Topology.DeclareAsync(channel, cancellation);
        // By a name that nobody has had: the broker may not have noticed yet that the connection before is gone.
        var queue = $"{self.Name}.news.{Guid.NewGuid():N}";
        await channel.QueueDeclareAsync(queue, durable: false, exclusive: true, autoDelete: true,
            new Dictionary<string, object?> { ["x-max-length"] = 1, ["x-overflow"] = "drop-head" }, cancellationToken: cancellation);
        foreach (var type in news.Events) await channel.QueueBindAsync(queue, Topology.ExchangeOf(type), routingKey: "", cancellationToken: cancellation);
        return queue;
    }

    protected override void Begun() => wakeUp.Signal();

    protected override async Task<bool> TakeAsync(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken ended)
    {
        using (Tracing.Source.HasListeners() ? Tracing.Processing($"{self.Name}.news", Wire.Read(properties, body)) : null) wakeUp.Signal();
        await Task.Delay(WakeUp.Linger, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    }
}
