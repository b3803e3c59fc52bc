using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Signup.EventLog;
using Signup.Messages.Operations;

namespace Signup.Hosting.ServiceControl;

/// <summary>A failed message as an operator may see it: what people typed is masked.</summary>
/// <param name="Times">How many copies of it are there: it failed so often.</param>
public sealed record FailedMessage(Guid FailureId, string MessageId, string MessageType, string Queue, DateTimeOffset? FailedAt, DateTimeOffset? SentAt,
    string ExceptionType, string ExceptionMessage, string StackTrace, string Body, string? SentBy, string? ConversationId, int Times);

/// <param name="Messages">The latest first.</param>
/// <param name="Trouble">Why there is nothing to see, or null.</param>
public sealed record ErrorQueueView(IReadOnlyList<FailedMessage> Messages, string? Trouble);

public enum ActOutcome
{
    Done,
    /// <summary>Somebody else has acted on it.</summary>
    Gone,
    /// <summary>The queue it failed in does not exist any more.</summary>
    NoSuchQueue,
    /// <summary>The broker does not answer; nothing has happened that would not happen again.</summary>
    Unavailable,
}

/// <summary>
/// The queue <c>error</c>, for operators who have no ServiceControl. While somebody looks, its messages are held unacknowledged, which
/// shows them without taking them out: they stay the broker's, and whatever happens to this process they are in their queue.
/// When nobody looks any more they are let go. Only one process at a time may look.
/// </summary>
public sealed class ErrorQueue(Broker broker, CommandClient commands, TimeProvider time, ILogger<ErrorQueue> logger) : IAsyncDisposable
{
    /// <summary>More are not shown; acting on some brings the next.</summary>
    private const ushort Most = 500;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), LetGoAfter = TimeSpan.FromSeconds(30), Settling = TimeSpan.FromMilliseconds(400);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<ulong, Held> _held = [];
    private readonly LazyChannel _sending = new(broker.OpenConfirmingChannelAsync);
    private IChannel? _channel;
    private ITimer? _letGo;

    public async Task<ErrorQueueView> LookAsync(CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            await OpenAsync(cancellation);
            return new(Show(), null);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode is Constants.AccessRefused)
        {
            return new([], "Somebody else is reading the queue error: ServiceControl, or another gateway. Look there.");
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return new([], "RabbitMQ cannot be reached.");
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
        if (_letGo is not null) await _letGo.DisposeAsync();
        if (_channel is not null) await _channel.DisposeAsync();
        await _sending.DisposeAsync();
        _gate.Dispose();
    }

    private async Task<ActOutcome> ActAsync(Guid failureId, MessageAct act, string by, string? reason, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            await OpenAsync(cancellation);
            List<KeyValuePair<ulong, Held>> copies;
            lock (_held) copies = [.. _held.Where(h => h.Value.FailureId == failureId).OrderBy(h => h.Key)];
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

    private async Task OpenAsync(CancellationToken cancellation)
    {
        _letGo ??= time.CreateTimer(_ => _ = LetGoAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _letGo.Change(LetGoAfter, Timeout.InfiniteTimeSpan);
        if (_channel is { IsOpen: true }) return;
        if (_channel is not null) await _channel.DisposeAsync();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        _channel = await broker.OpenChannelAsync(patience.Token);
        lock (_held) _held.Clear();
        await _channel.BasicQosAsync(0, Most, global: false, patience.Token);
        var waiting = (await _channel.QueueDeclarePassiveAsync(Topology.Error, patience.Token)).MessageCount;
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            lock (_held)
            {
                _held[delivery.DeliveryTag] = new Held(new BasicProperties(delivery.BasicProperties), Wire.Texts(delivery.BasicProperties.Headers), delivery.Body.ToArray());
                if (_held.Count >= Math.Min(waiting, Most)) arrived.TrySetResult();
            }
            return Task.CompletedTask;
        };
        await _channel.BasicConsumeAsync(Topology.Error, autoAck: false, consumerTag: "", noLocal: false, exclusive: true, arguments: null, consumer, patience.Token);
        // They come one by one; the first look should not find the queue half empty.
        if (waiting > 0) await arrived.Task.WaitAsync(Settling, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Closing the channel puts back what was held.</summary>
    private async Task LetGoAsync()
    {
        await _gate.WaitAsync();
        try
        {
            if (_channel is not null) await _channel.DisposeAsync();
            _channel = null;
            lock (_held) _held.Clear();
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException)
        {
            _channel = null;
        }
        finally
        {
            _gate.Release();
        }
    }

    private IReadOnlyList<FailedMessage> Show()
    {
        lock (_held)
            return [.. _held.OrderByDescending(h => h.Key).GroupBy(h => h.Value.FailureId).Select(g => g.First().Value.Shown(g.Count())).OrderByDescending(m => m.FailedAt)];
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
        public string MessageId { get; } = Headers.GetValueOrDefault(Hosting.Headers.MessageId) ?? Properties.MessageId ?? "";
        public string Queue { get; } = Headers.GetValueOrDefault(Hosting.Headers.FailedQ) ?? "";
        public string MessageType { get; } = Headers.ContainsKey(Hosting.Headers.RetrySuccessful)
            ? "(acknowledgement for ServiceControl)"
            : Headers.GetValueOrDefault(Hosting.Headers.EnclosedMessageTypes)?.Split(',', ';')[0] ?? Wire.UnknownType;

        public Guid FailureId { get; } = Identify(Headers, Properties);

        public FailedMessage Shown(int times) => new(FailureId, MessageId, MessageType, Queue, Moment(Hosting.Headers.TimeOfFailure), Moment(Hosting.Headers.TimeSent),
            Text(Hosting.Headers.ExceptionType), PersonalData.MaskText(Text(Hosting.Headers.ExceptionMessage)), PersonalData.MaskText(Text(Hosting.Headers.ExceptionStackTrace)),
            PersonalData.MaskBody(Body), Headers.GetValueOrDefault(Hosting.Headers.OriginatingEndpoint), Headers.GetValueOrDefault(Hosting.Headers.ConversationId), times);

        /// <summary>The message as it was before it failed.</summary>
        public BasicProperties Again() => new(Properties)
        {
            Persistent = true,
            Headers = Headers.Where(h => h.Key is not (Hosting.Headers.FailedQ or Hosting.Headers.TimeOfFailure)
                && !h.Key.StartsWith(Hosting.Headers.ExceptionInfo, StringComparison.Ordinal)).ToDictionary(h => h.Key, h => (object?)h.Value),
        };

        private string Text(string header) => Headers.GetValueOrDefault(header) ?? "";

        private DateTimeOffset? Moment(string header) => Wire.ReadDate(Headers.GetValueOrDefault(header));

#pragma warning disable CA5351 // Not for secrecy: it is how ServiceControl names a failed message.
        private static Guid Identify(Dictionary<string, string> headers, BasicProperties properties) =>
            headers.GetValueOrDefault(Hosting.Headers.RetryUniqueMessageId) is { } unique && Guid.TryParse(unique, out var id) ? id : new Guid(MD5.HashData(Encoding.UTF8.GetBytes(
                (headers.GetValueOrDefault(Hosting.Headers.MessageId) ?? properties.MessageId) + (headers.GetValueOrDefault(Hosting.Headers.ProcessingEndpoint) ?? headers.GetValueOrDefault(Hosting.Headers.FailedQ)))));
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
