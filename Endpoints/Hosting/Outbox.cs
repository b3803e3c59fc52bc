using Marten;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Wolverine;
using Wolverine.Runtime;
using Wolverine.Runtime.Serialization;

namespace Signup.Hosting;

/// <summary>
/// The transactional outbox, for many messages at once: one statement stores all messages of a transaction, after the commit they are
/// published side by side, and those that the broker has confirmed are deleted by one statement. Sent by the bus, each message would cost a
/// statement of its own, wait for the confirmation of the one before, and then cost a transaction for its deletion.
/// The table is the bus's own: what a crash or an outage leaves in it is published by the bus, of this process or another, within half a minute.
/// </summary>
public sealed class Outbox : IAsyncDisposable
{
    /// <summary>More side by side gains nothing.</summary>
    private const int MaxBatch = 256;

    private readonly WolverineRuntime _runtime;
    private readonly Wire _wire;
    private readonly ILogger<Outbox> _logger;
    private readonly LazyChannel _channel;
    private readonly GroupCommit<Envelope, bool> _publishing;
    private readonly string _insert;

    public Outbox(IWolverineRuntime runtime, Broker broker, Wire wire, EndpointIdentity identity, ILogger<Outbox> logger)
    {
        (_runtime, _wire, _logger) = ((WolverineRuntime)runtime, wire, logger);
        _channel = new LazyChannel(broker.OpenConfirmingChannelAsync);
        _publishing = new(PublishAsync, MaxBatch);
        _insert = $"""
            insert into {identity.Name}.wolverine_outgoing_envelopes (id, owner_id, destination, message_type, body)
            select id, ?, destination, message_type, body from unnest(?, ?, ?, ?) as m (id, destination, message_type, body)
            """;
    }

    /// <summary>What is to be stored and published to tell everyone who subscribes to <paramref name="message"/>.</summary>
    public IEnumerable<Envelope> For(object message)
    {
        foreach (var envelope in _runtime.RoutingFor(message.GetType()).RouteForPublish(message, null))
        {
            envelope.Source = _runtime.Options.ServiceName;
            envelope.ConversationId = envelope.Id;
            envelope.Status = EnvelopeStatus.Outgoing;
            yield return envelope;
        }
    }

    /// <summary>Stores them when the session is saved.</summary>
    public void Store(IDocumentSession session, IReadOnlyList<Envelope> envelopes)
    {
        if (envelopes.Count == 0) return;
        session.QueueSqlCommand(_insert, _runtime.DurabilitySettings.AssignedNodeNumber,
            envelopes.Select(e => e.Id).ToArray(),
            envelopes.Select(e => e.Destination!.ToString()).ToArray(),
            envelopes.Select(e => e.MessageType!).ToArray(),
            envelopes.Select(EnvelopeSerializer.Serialize).ToArray());
    }

    /// <summary>Publishes what is committed. Returns at once: nobody needs to wait, since it is safe.</summary>
    public void Publish(IReadOnlyList<Envelope> committed)
    {
        foreach (var envelope in committed) _ = _publishing.SubmitAsync(envelope);
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    private async Task<IReadOnlyList<bool>> PublishAsync(IReadOnlyList<Envelope> envelopes)
    {
        var confirmed = new bool[envelopes.Count];
        try
        {
            var channel = await _channel.GetAsync(CancellationToken.None);
            await Task.WhenAll(envelopes.Select(async (envelope, i) =>
            {
                var properties = new BasicProperties { Headers = new Dictionary<string, object?>() };
                _wire.MapEnvelopeToOutgoing(envelope, properties);
                await channel.BasicPublishAsync(Topology.ExchangeOf(envelope.Message!.GetType()), routingKey: "", mandatory: false, properties, envelope.Data);
                confirmed[i] = true;
            }));
        }
        catch (Exception e)
        {
            _logger.LeftInOutbox(e, confirmed.Count(c => !c));
        }
        try
        {
            if (confirmed.Contains(true)) await _runtime.Storage.Outbox.DeleteOutgoingAsync([.. envelopes.Where((_, i) => confirmed[i])]);
        }
        catch (Exception e)
        {
            _logger.PublishedAgain(e, confirmed.Count(c => c));
        }
        return confirmed;
    }
}

internal static partial class OutboxLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} messages could not be published now; they stay in the outbox and are published later")]
    public static partial void LeftInOutbox(this ILogger logger, Exception e, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} messages are published but could not be taken out of the outbox; they are published once more")]
    public static partial void PublishedAgain(this ILogger logger, Exception e, int count);
}
