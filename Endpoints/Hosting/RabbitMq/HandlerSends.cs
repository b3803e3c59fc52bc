using System.Text.Json;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Signup.Hosting.Operations;

namespace Signup.Hosting.RabbitMq;

/// <summary>Sends what a handler returned, before its message is acknowledged: see <see cref="Handling.MessageProcessor"/>.</summary>
public sealed class HandlerSends(Broker broker, Wire wire, ILogger<HandlerSends> logger) : IAsyncDisposable
{
    /// <summary>What the broker has named is gone with its connection; a queue that lasts cannot be named so.</summary>
    private const string NamedByBroker = "amq.";

    private readonly LazyChannel _confirming = new(broker.OpenConfirmingChannelAsync);
    private readonly LazyChannel _replies = new(cancellation => broker.OpenChannelAsync(cancellation));

    /// <summary>Hands a command on, with the asker's address, so that whoever decides answers the asker. Returns once the broker has it;
    /// throws otherwise, which keeps the incoming message.</summary>
    public async Task ForwardAsync(string address, object command, Incoming incoming)
    {
        using var activity = Tracing.Sending(address, command.GetType(), incoming.Id);
        var properties = wire.Describe(command.GetType(), incoming.Id, "Send", incoming.ReplyTo, incoming.CorrelationId);
        var channel = await OpenAsync(_confirming);
        await channel.BasicPublishAsync(address, routingKey: "", mandatory: true, properties, Body(command));
    }

    /// <summary>Answers the asker, if anyone asked. One who waits on a connection may lose the answer, and then says that it does not know:
    /// what was decided is in the log. One who has a queue gets it, as NServiceBus's endpoints expect.</summary>
    public async Task ReplyAsync(object reply, Incoming incoming)
    {
        if (incoming.ReplyTo is not { } address) return;
        var waits = address.StartsWith(NamedByBroker, StringComparison.Ordinal);
        var properties = wire.Describe(reply.GetType(), Guid.CreateVersion7(), "Reply", null, incoming.CorrelationId);
        properties.Persistent = !waits;
        try
        {
            var channel = await OpenAsync(waits ? _replies : _confirming);
            // By the default exchange: an asker that is gone is no error there.
            await channel.BasicPublishAsync(exchange: "", routingKey: address, mandatory: false, properties, Body(reply));
        }
        catch (Exception e) when (waits && e is (RabbitMQClientException or BrokerUnavailableException or ObjectDisposedException))
        {
            logger.ReplyLost(e, incoming.Id);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _confirming.DisposeAsync();
        await _replies.DisposeAsync();
    }

    private static async Task<IChannel> OpenAsync(LazyChannel channel)
    {
        try
        {
            return await channel.GetAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            throw new BrokerUnavailableException("RabbitMQ does not answer.", e);
        }
    }

    private static ReadOnlyMemory<byte> Body(object message) => JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), Wire.Json);
}

internal static partial class HandlerSendsLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The reply to message {MessageId} got lost")]
    public static partial void ReplyLost(this ILogger logger, Exception e, Guid messageId);
}
