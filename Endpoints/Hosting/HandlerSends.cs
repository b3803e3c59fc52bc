using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Signup.Messages.Uniqueness;
using Wolverine;

namespace Signup.Hosting;

/// <summary>Sends what a handler returned, before its message is acknowledged. Called by generated code, see <see cref="ReturnValues"/>.</summary>
public sealed class HandlerSends : IAsyncDisposable
{
    /// <summary>Between messages while proposals come one by one. The first after a rest goes at once.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(8);

    /// <summary>Between answers, which those who have been decided together get together.</summary>
    private static readonly TimeSpan GatherAnswers = TimeSpan.FromMilliseconds(1);

    private readonly EndpointIdentity _self;
    private readonly Wire _wire;
    private readonly ILogger<HandlerSends> _logger;
    private readonly LazyChannel _confirming, _replies;
    private readonly Bundles _commands, _answers;

    public HandlerSends(Broker broker, EndpointIdentity self, Wire wire, ILogger<HandlerSends> logger)
    {
        (_self, _wire, _logger) = (self, wire, logger);
        _confirming = new(broker.OpenConfirmingChannelAsync);
        _replies = new(broker.OpenChannelAsync);
        _commands = new(wire, "Send", () => _confirming.GetAsync(CancellationToken.None).AsTask(), mandatory: true, Gather);
        _answers = new(wire, "Reply", () => _replies.GetAsync(CancellationToken.None).AsTask(), mandatory: false, GatherAnswers);
    }

    /// <summary>Hands a proposal on, with the asker's address, so that whoever decides answers the asker. Returns once the broker has it;
    /// throws otherwise, which keeps the incoming message.</summary>
    public async Task ForwardAsync(ProposeEvent? proposal, Envelope incoming)
    {
        if (proposal is null) return;
        var id = IdOfProposal(incoming.Id);
        using var activity = Tracing.Sending(Topology.Uniqueness, typeof(ProposeEvent), id);
        var properties = _wire.Describe(typeof(ProposeEvent), id, "Send", replyTo: null, incoming.CorrelationId!);
        if (ReplyAddress(incoming) is { } replyTo)
        {
            properties.Headers![Headers.ReplyToAddress] = replyTo;
            if (!IsDirect(replyTo)) properties.ReplyTo = replyTo;
        }
        await _commands.SendAsync(new Outgoing(Topology.Uniqueness, "", properties, Body(proposal)));
    }

    /// <summary>Puts a message that came with others back into the queue, by itself. Returns once the broker has it.</summary>
    public async Task SendAgainAsync(Envelope message)
    {
        var properties = new BasicProperties();
        _wire.MapEnvelopeToOutgoing(message, properties);
        await PublishAsync(new Outgoing(_self.Name, "", properties, message.Data!), mandatory: true);
    }

    /// <summary>Answers the asker, if anyone asked. One who waits on a connection may lose the answer, and then says that it does not know:
    /// what was decided is in the log. One who has a queue gets it, as NServiceBus's endpoints expect.</summary>
    public async Task ReplyAsync(object? reply, Envelope incoming)
    {
        if (reply is null || ReplyAddress(incoming) is not { } address) return;
        var properties = _wire.Describe(reply.GetType(), Guid.CreateVersion7(), "Reply", null, incoming.CorrelationId!);
        // By the default exchange: an asker that is gone is no error there.
        var message = new Outgoing("", address, properties, Body(reply));
        if (!IsDirect(address))
        {
            await PublishAsync(message, mandatory: false);
            return;
        }
        properties.Persistent = false;
        try
        {
            await _answers.SendAsync(message);
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException)
        {
            _logger.ReplyLost(e, incoming.CorrelationId!);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _confirming.DisposeAsync();
        await _replies.DisposeAsync();
    }

    /// <summary>Of the message that leads to it: the same for a command that comes again.</summary>
    private static Guid IdOfProposal(Guid command) => new(SHA256.HashData([.. command.ToByteArray(), .. "proposal"u8])[..16]);

    private async Task PublishAsync(Outgoing message, bool mandatory)
    {
        var channel = await _confirming.GetAsync(CancellationToken.None);
        await channel.BasicPublishAsync(message.Exchange, message.RoutingKey, mandatory, message.Properties, message.Body);
    }

    /// <summary>Whether somebody waits there on a connection, see <see cref="CommandClient"/>. No message but theirs may name it as an AMQP property.</summary>
    private static bool IsDirect(string address) => address.StartsWith(CommandClient.DirectReplyTo, StringComparison.Ordinal);

    private static string? ReplyAddress(Envelope incoming) => incoming.Headers.GetValueOrDefault(Headers.ReplyToAddress);

    private static byte[] Body(object message) => JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), Wire.Json);
}

internal static partial class HandlerSendsLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The reply to {CorrelationId} got lost")]
    public static partial void ReplyLost(this ILogger logger, Exception e, string correlationId);
}
