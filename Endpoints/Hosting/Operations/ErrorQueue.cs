using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Operations;

namespace Signup.Hosting.Operations;

/// <summary>A failed message as an operator may see it: what people typed is masked.</summary>
/// <param name="Times">How many copies of it are there: it failed so often.</param>
public sealed record FailedMessage(Guid FailureId, string MessageId, string MessageType, string Queue, DateTimeOffset? FailedAt, DateTimeOffset? SentAt,
    string ExceptionType, string ExceptionMessage, string StackTrace, string Body, string? SentBy, string? ConversationId, int Times);

/// <param name="Messages">The latest first.</param>
/// <param name="Acknowledgements">How many tell of retries that have succeeded, and wait for ServiceControl: nobody else's to touch.</param>
/// <param name="Others">How many others take from the queue. Where anybody does, it is theirs, and nothing of it is seen here.</param>
/// <param name="Trouble">Why there is nothing to see, or null.</param>
public sealed record ErrorQueueView(IReadOnlyList<FailedMessage> Messages, int Acknowledgements = 0, uint Others = 0, string? Trouble = null);

public enum ActOutcome
{
    Done,
    /// <summary>Somebody else has acted on it.</summary>
    Gone,
    /// <summary>The queue it failed in does not exist any more.</summary>
    NoSuchQueue,
    /// <summary>Somebody else takes from the queue.</summary>
    NotOurs,
    /// <summary>The broker does not answer; nothing has happened that would not happen again.</summary>
    Unavailable,
}

/// <summary>
/// The queue <c>error</c>, for operators who have no ServiceControl. While somebody looks, its messages are held unacknowledged, which
/// shows them without taking them out: they stay the broker's, and whatever happens to this process they are in their queue.
/// When nobody looks any more they are let go, and as soon as somebody else takes from the queue (ServiceControl, another gateway): what is held here, that one would never get.
/// The broker does not keep two apart that take from a quorum queue; it only tells how many there are.
/// </summary>
public sealed class ErrorQueue(Broker broker, CommandClient commands, TimeProvider time, ILogger<ErrorQueue> logger) : IAsyncDisposable
{
    /// <summary>More are not shown; acting on some brings the next.</summary>
    private const ushort Most = 500;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), LetGoAfter = TimeSpan.FromSeconds(30), WatchEvery = TimeSpan.FromSeconds(1), Settling = TimeSpan.FromMilliseconds(400);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<ulong, Held> _held = [];
    private readonly LazyChannel _sending = new(broker.OpenConfirmingChannelAsync);
    private IChannel? _channel;
    private string _consumer = "";
    private ITimer? _watch;
    private long _lookedAt;

    public async Task<ErrorQueueView> LookAsync(CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            return await OpenAsync(cancellation) is > 0 and var others ? new([], Others: others) : Show();
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return new([], Trouble: "RabbitMQ cannot be reached.");
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Sends it to the queue that it failed in, as it was, and takes it out of <c>error</c>.</summary>
    public Task<ActOutcome> RetryAsync(Guid failureId, string by, CancellationToken cancellation) => ActAsync(failureId, MessageAct.Retried, by, null, cancellation);

    /// <summary>Takes it out of <c>error</c> for good.</summary>
    public Task<ActOutcome> DiscardAsync(Guid failureId, string by, string reason, CancellationToken cancellation) => ActAsync(failureId, MessageAct.Discarded, by, reason, cancellation);

    public async ValueTask DisposeAsync()
    {
        if (_watch is not null) await _watch.DisposeAsync();
        if (_channel is not null) await _channel.DisposeAsync();
        await _sending.DisposeAsync();
        _gate.Dispose();
    }

    private async Task<ActOutcome> ActAsync(Guid failureId, MessageAct act, string by, string? reason, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            if (await OpenAsync(cancellation) > 0) return ActOutcome.NotOurs;
            List<KeyValuePair<ulong, Held>> copies;
            lock (_held) copies = [.. _held.Where(h => h.Value.FailureId == failureId && !h.Value.IsAcknowledgement).OrderBy(h => h.Key)];
            if (copies.Count == 0) return ActOutcome.Gone;
            var latest = copies[^1].Value;
            if (act == MessageAct.Retried && !await ExistsAsync(latest.Queue, cancellation)) return ActOutcome.NoSuchQueue;

            using var cause = Cause.By(Actors.Operator(by)).Enter();
            // First the fact, safe in its queue; then the act; and the message goes last. A crash in between repeats an act, it never hides one.
            await commands.SendAsync(Topology.Accounts, new RecordMessageAct(Guid.CreateVersion7(), failureId, act, latest.MessageType, latest.Queue, by, reason, time.GetUtcNow()),
                Guid.CreateVersion7(), Patience, cancellation);
            if (act == MessageAct.Retried)
            {
                var sending = await _sending.GetAsync(cancellation);
                await sending.BasicPublishAsync(latest.Queue, routingKey: "", mandatory: true, latest.Again(), latest.Body, cancellation);
            }
            foreach (var (tag, _) in copies)
            {
                await _channel!.BasicAckAsync(tag, multiple: false, cancellation);
                lock (_held) _held.Remove(tag);
            }
            logger.Acted(act, latest.MessageType, latest.MessageId, by);
            return ActOutcome.Done;
        }
        catch (Exception e) when (e is RabbitMQClientException or BrokerUnavailableException or IOException or ObjectDisposedException)
        {
            logger.NotActed(e, act, failureId);
            return ActOutcome.Unavailable;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <returns>How many others take from the queue; with any, nothing is held here.</returns>
    private async Task<uint> OpenAsync(CancellationToken cancellation)
    {
        _lookedAt = time.GetTimestamp();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        if (_channel is { IsOpen: true } && _consumer.Length > 0)
        {
            var others = await OthersAsync(_channel, patience.Token);
            if (others > 0) await LetGoAsync();
            return others;
        }
        await LetGoAsync();
        var channel = _channel = await broker.OpenChannelAsync(patience.Token);
        var queue = await channel.QueueDeclarePassiveAsync(Topology.Error, patience.Token);
        if (queue.ConsumerCount > 0)
        {
            await LetGoAsync();
            return queue.ConsumerCount;
        }
        await channel.BasicQosAsync(0, Most, global: false, patience.Token);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            lock (_held)
            {
                _held[delivery.DeliveryTag] = new Held(new BasicProperties(delivery.BasicProperties), Wire.Texts(delivery.BasicProperties.Headers), delivery.Body.ToArray());
                if (_held.Count >= Math.Min(queue.MessageCount, Most)) arrived.TrySetResult();
            }
            return Task.CompletedTask;
        };
        _watch ??= time.CreateTimer(_ => _ = WatchAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _watch.Change(WatchEvery, WatchEvery);
        _consumer = await channel.BasicConsumeAsync(Topology.Error, autoAck: false, consumer, patience.Token);
        // Two may come at once. Both leave, then.
        if (await OthersAsync(channel, patience.Token) is > 0 and var alike)
        {
            await LetGoAsync();
            return alike;
        }
        // They come one by one; the first look should not find the queue half empty.
        if (queue.MessageCount > 0) await arrived.Task.WaitAsync(Settling, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    /// <summary>How many take from the queue beside this process, which does.</summary>
    private static async Task<uint> OthersAsync(IChannel channel, CancellationToken cancellation) =>
        (await channel.QueueDeclarePassiveAsync(Topology.Error, cancellation)).ConsumerCount is > 1 and var all ? all - 1 : 0;

    /// <summary>The broker tells nobody that somebody else has begun to take from a queue.</summary>
    private async Task WatchAsync()
    {
        // Whoever looks sees to it.
        if (!await _gate.WaitAsync(TimeSpan.Zero)) return;
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            if (_channel is not { IsOpen: true } || time.GetElapsedTime(_lookedAt) >= LetGoAfter || await OthersAsync(_channel, patience.Token) > 0) await LetGoAsync();
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            await LetGoAsync();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Closing the channel puts back what was held.</summary>
    private async Task LetGoAsync()
    {
        _watch?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var (channel, consumer) = (_channel, _consumer);
        (_channel, _consumer) = (null, "");
        try
        {
            // First the consumer, so that nobody is told of it any more once the channel is closed.
            if (channel is { IsOpen: true } && consumer.Length > 0) await channel.BasicCancelAsync(consumer);
            if (channel is not null) await channel.DisposeAsync();
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It is closed, one way or the other.
        }
        lock (_held) _held.Clear();
    }

    private ErrorQueueView Show()
    {
        lock (_held)
            return new([.. _held.Where(h => !h.Value.IsAcknowledgement).OrderByDescending(h => h.Key).GroupBy(h => h.Value.FailureId).Select(g => g.First().Value.Shown(g.Count())).OrderByDescending(m => m.FailedAt)],
                Acknowledgements: _held.Count(h => h.Value.IsAcknowledgement));
    }

    private async Task<bool> ExistsAsync(string exchange, CancellationToken cancellation)
    {
        if (exchange.Length == 0) return false;
        await using var channel = await broker.OpenChannelAsync(cancellation);
        try
        {
            await channel.ExchangeDeclarePassiveAsync(exchange, cancellation);
            return true;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return false;
        }
    }

    /// <summary>A message that is held.</summary>
    private sealed record Held(BasicProperties Properties, Dictionary<string, string> Headers, byte[] Body)
    {
        public string MessageId { get; } = Headers.GetValueOrDefault(WireHeaders.MessageId) ?? Properties.MessageId ?? "";
        public string Queue { get; } = Headers.GetValueOrDefault(WireHeaders.FailedQ) ?? "";
        public string MessageType { get; } = Headers.GetValueOrDefault(WireHeaders.EnclosedMessageTypes)?.Split(',', ';')[0] ?? Wire.UnknownType;

        /// <summary>It tells ServiceControl that a retry of it has succeeded.</summary>
        public bool IsAcknowledgement { get; } = Headers.ContainsKey(WireHeaders.RetrySuccessful);

        public Guid FailureId { get; } = Identify(Headers, Properties);

        public FailedMessage Shown(int times) => new(FailureId, MessageId, MessageType, Queue, Moment(WireHeaders.TimeOfFailure), Moment(WireHeaders.TimeSent),
            Text(WireHeaders.ExceptionType), Masking.MaskText(Text(WireHeaders.ExceptionMessage)), Masking.MaskText(Text(WireHeaders.ExceptionStackTrace)),
            Masking.MaskBody(Body), Headers.GetValueOrDefault(WireHeaders.OriginatingEndpoint), Headers.GetValueOrDefault(WireHeaders.ConversationId), times);

        /// <summary>The message as it was before it failed.</summary>
        public BasicProperties Again() => new(Properties)
        {
            Persistent = true,
            Headers = Headers.Where(h => h.Key is not (WireHeaders.FailedQ or WireHeaders.TimeOfFailure)
                && !h.Key.StartsWith(WireHeaders.ExceptionInfo, StringComparison.Ordinal)).ToDictionary(h => h.Key, h => (object?)h.Value),
        };

        private string Text(string header) => Headers.GetValueOrDefault(header) ?? "";

        private DateTimeOffset? Moment(string header) => Wire.ReadDate(Headers.GetValueOrDefault(header));

#pragma warning disable CA5351 // Not for secrecy: it is how ServiceControl names a failed message.
        private static Guid Identify(Dictionary<string, string> headers, BasicProperties properties) =>
            headers.GetValueOrDefault(WireHeaders.RetryUniqueMessageId) is { } unique && Guid.TryParse(unique, out var id) ? id : new Guid(MD5.HashData(Encoding.UTF8.GetBytes(
                (headers.GetValueOrDefault(WireHeaders.MessageId) ?? properties.MessageId) + (headers.GetValueOrDefault(WireHeaders.ProcessingEndpoint) ?? headers.GetValueOrDefault(WireHeaders.FailedQ)))));
#pragma warning restore CA5351
    }
}

internal static partial class ErrorQueueLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Act}: {MessageType} {MessageId}, by {Operator}")]
    public static partial void Acted(this ILogger logger, MessageAct act, string messageType, string messageId, string @operator);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Act} of {FailureId} did not succeed; the message is still in the queue error")]
    public static partial void NotActed(this ILogger logger, Exception e, MessageAct act, Guid failureId);
}
