using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Handling;

/// <summary>How many messages an endpoint handles at once; each stays unacknowledged until its work is committed.</summary>
internal sealed record Concurrency(ushort Messages);

/// <summary>Takes what is sent to the endpoint, from the queue of its name, and has it handled.</summary>
internal sealed class QueueListener([FromKeyedServices(Listener.Connection)] Broker broker, MessageProcessor handling, EndpointIdentity self, Concurrency concurrency, ILogger<QueueListener> logger)
    : Listener(broker, self.Name, concurrency.Messages, logger)
{
    protected override async Task<string> PrepareAsync(IChannel channel, bool missing, CancellationToken cancellation)
    {
        if (missing)
        {
            await Topology.DeclareAsync(channel, cancellation);
            await Topology.DeclareEndpointAsync(channel, self.Name, cancellation);
        }
        return self.Name;
    }

    protected override Task<bool> TakeAsync(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken ended) => handling.HandleAsync(Wire.Read(properties, body), ended);
}
