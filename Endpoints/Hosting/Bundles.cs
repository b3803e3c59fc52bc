using System.Runtime.ExceptionServices;
using System.Text.Json;
using RabbitMQ.Client;
using Signup.Messages.Transport;

namespace Signup.Hosting;

/// <summary>A message that is ready to be handed to the broker.</summary>
internal sealed record Outgoing(string Exchange, string RoutingKey, BasicProperties Properties, byte[] Body)
{
    private const int Waiting = 0, OnItsWay = 1, Withdrawn = 2;

    private int _state;

    /// <summary>Whether it was handed to the network, so that the broker may have it.</summary>
    public bool Sent => Volatile.Read(ref _state) == OnItsWay;

    /// <summary>Its sender waits no longer. It is not sent any more, unless it was already.</summary>
    public void Withdraw() => Interlocked.CompareExchange(ref _state, Withdrawn, Waiting);

    internal bool TrySend() => Interlocked.CompareExchange(ref _state, OnItsWay, Waiting) != Withdrawn;
}

/// <summary>
/// Hands messages to the broker. Those for one address that come while others are being handed over go as one (<see cref="Bundle"/>): what a hop through a
/// replicated queue costs, it costs per message of the broker's. A lone one goes as it is, and at once.
/// </summary>
internal sealed class Bundles
{
    /// <summary>The most messages in one.</summary>
    private const int MaxBundle = 64;

    private readonly Wire _wire;
    private readonly string _intent;
    private readonly Func<Task<IChannel>> _channel;
    private readonly bool _mandatory;
    private readonly GroupCommit<Outgoing, Exception?> _sending;

    /// <param name="intent"><c>Send</c> or <c>Reply</c>.</param>
    /// <param name="channel">The channel to publish on; throws where nothing may be sent now.</param>
    /// <param name="mandatory">Whether it is a fault that no queue gets it.</param>
    /// <param name="gather">Between messages while they come one by one, so that a few share one.</param>
    public Bundles(Wire wire, string intent, Func<Task<IChannel>> channel, bool mandatory, TimeSpan gather = default)
    {
        (_wire, _intent, _channel, _mandatory) = (wire, intent, channel, mandatory);
        _sending = new(SendTogetherAsync, MaxBundle, gather, span: null);
    }

    /// <summary>Completes once it is handed over.</summary>
    /// <exception cref="Exception">As publishing throws it.</exception>
    public async Task SendAsync(Outgoing message)
    {
        if (await _sending.SubmitAsync(message) is { } fault) ExceptionDispatchInfo.Throw(fault);
    }

    private async Task<IReadOnlyList<Exception?>> SendTogetherAsync(IReadOnlyList<Outgoing> messages)
    {
        var faults = new Exception?[messages.Count];
        await Task.WhenAll(messages.Index().GroupBy(m => (m.Item.Exchange, m.Item.RoutingKey, m.Item.Properties.ReplyTo)).Select(async group =>
        {
            try
            {
                // First the channel: what was not handed to it was not sent, and its sender may say so.
                var channel = await _channel();
                var wanted = group.Select(m => m.Item).Where(m => m.TrySend()).ToList();
                if (wanted.Count == 0) return;
                var message = wanted is [var only] ? only : Bundled(wanted);
                await channel.BasicPublishAsync(message.Exchange, message.RoutingKey, _mandatory, message.Properties, message.Body);
            }
            catch (Exception e)
            {
                // They went as one, so they have failed as one; each one's sender knows whether to try again.
                foreach (var (i, _) in group) faults[i] = e;
            }
        }));
        return faults;
    }

    private Outgoing Bundled(List<Outgoing> messages)
    {
        var id = Guid.CreateVersion7();
        var properties = _wire.Describe(typeof(Bundle), id, _intent, replyTo: null, id.ToString());
        var common = properties.Headers!;
        properties.Persistent = messages[0].Properties.Persistent;
        // RabbitMQ writes the address of the asker's channel into it, the same for all that come from there.
        properties.ReplyTo = messages[0].Properties.ReplyTo;
        var bundle = new Bundle([.. messages.Select(m => new BundledMessage(
            m.Properties.Headers!.Where(h => !Equals(h.Value, common.TryGetValue(h.Key, out var same) ? same : null)).ToDictionary(h => h.Key, h => (string)h.Value!), m.Body))]);
        return messages[0] with { Properties = properties, Body = JsonSerializer.SerializeToUtf8Bytes(bundle, Wire.Json) };
    }
}
