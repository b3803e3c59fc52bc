using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.ServiceControl;

/// <summary>Tells ServiceControl that a message which an operator has sent back was handled this time.</summary>
public sealed partial class RetryAcknowledgement(Broker broker, TimeProvider time, ILogger<RetryAcknowledgement> logger) : IAsyncDisposable
{
    private readonly LazyChannel _channel = new(broker.OpenConfirmingChannelAsync);

    /// <summary>Returns once the broker has the acknowledgement; does nothing for a message that is no retry.</summary>
    public async Task SendAsync(Incoming handled)
    {
        if (handled[WireHeaders.RetryUniqueMessageId] is not { } unique
            || handled[WireHeaders.RetryAcknowledgementQueue] is not { } address) return;
        var now = Wire.Date(time.GetUtcNow());
        var properties = new BasicProperties
        {
            Persistent = true,
            MessageId = Guid.CreateVersion7().ToString(),
            ContentType = "application/octet-stream",
            Headers = new Dictionary<string, object?>
            {
                [WireHeaders.ControlMessage] = "True",
                [WireHeaders.TimeSent] = now,
                [WireHeaders.RetrySuccessful] = now,
                [WireHeaders.RetryUniqueMessageId] = unique,
            },
        };
        try
        {
            var channel = await _channel.GetAsync(CancellationToken.None);
            await channel.BasicPublishAsync(address, routingKey: "", mandatory: true, properties, ReadOnlyMemory<byte>.Empty);
        }
        // The address is not there. What was handled stays handled, and coming again would not help; ServiceControl goes on showing a retry under way.
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            Lost(logger, address, unique);
        }
        catch (PublishException e) when (e.IsReturn)
        {
            Lost(logger, address, unique);
        }
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The retry {UniqueMessageId} succeeded, but the address {Address} that wanted to know is not there")]
    private static partial void Lost(ILogger logger, string address, string uniqueMessageId);
}
