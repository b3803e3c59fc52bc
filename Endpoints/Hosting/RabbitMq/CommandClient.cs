using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Signup.Hosting.Operations;

namespace Signup.Hosting.RabbitMq;

/// <summary>
/// Sends commands from outside a handler, and awaits their answers, in a queue that lives as long as the connection. Not by RabbitMQ's direct reply-to, which needs no queue: in a cluster, an answer to one whose node
/// has gone ends the connection of the one who answers (RabbitMQ 3, <c>rabbit_channel:deliver_reply</c>).
/// </summary>
public sealed class CommandClient : IAsyncDisposable
{
    /// <summary>For so long it is tried to hand over what the broker may have in part. Whoever has asked does not wait for it any more by then.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <summary>Pause between attempts to hand a command over while the broker is away.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(10);

    /// <summary>The same where nobody waits for it any more.</summary>
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(2);

    /// <summary>For so long at most a command that came back before is waited for, that it come back once more. On a busy machine the broker can take a good part of a second for it.</summary>
    private static readonly TimeSpan LongestReturn = TimeSpan.FromSeconds(2);

    private readonly Broker _broker;
    private readonly Wire _wire;
    private readonly LazyChannel _channel;

    /// <summary>Of the channel that was opened last.</summary>
    private volatile string? _replies;

    private readonly ConcurrentDictionary<string, TaskCompletionSource<ReadOnlyMemory<byte>>> _waiting = new();

    public CommandClient(Broker broker, Wire wire)
    {
        (_broker, _wire) = (broker, wire);
        _channel = new LazyChannel(OpenAsync);
    }

    /// <summary>Asks itself, through the broker and by a queue that nobody else sees. See <see cref="RehearsalServices.AddRehearsal"/>.</summary>
    public async Task RehearseAsync<TReply>(object command, Func<Incoming, Task> answer, CancellationToken cancellation)
        where TReply : class
    {
        var address = $"rehearsal.{Guid.NewGuid():N}";
        await using var channel = await _broker.OpenChannelAsync(cancellation);
        await channel.ExchangeDeclareAsync(address, ExchangeType.Fanout, autoDelete: true, cancellationToken: cancellation);
        var queue = (await channel.QueueDeclareAsync(address, cancellationToken: cancellation)).QueueName;
        await channel.QueueBindAsync(queue, address, routingKey: "", cancellationToken: cancellation);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) => answer(Wire.Read(delivery.BasicProperties, delivery.Body.ToArray()));
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer, cancellation);
        await AskAsync<TReply>(address, command, Guid.CreateVersion7(), Timeout.InfiniteTimeSpan, cancellation);
    }

    /// <summary>Sends a command and awaits its reply.</summary>
    /// <param name="address">The queue's name.</param>
    /// <param name="messageId">The same id again is the same command.</param>
    /// <param name="timeout">For handing over and answer together.</param>
    /// <returns>The reply, or null where none came in time: the command is with the broker, or on its way there for as long as this process lives.</returns>
    /// <exception cref="BrokerUnavailableException">The broker got nothing of the command, and will not.</exception>
    public async Task<TReply?> AskAsync<TReply>(string address, object command, Guid messageId, TimeSpan timeout, CancellationToken cancellation)
        where TReply : class
    {
        // Two who ask the same at once each get the answer: replies are told apart by their own id, not by the command's.
        var correlation = Guid.CreateVersion7().ToString();
        var reply = _waiting[correlation] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var delivery = new Delivery();
        using var end = new CancellationTokenSource();
        try
        {
            // A reply says all that a confirmation would. What the broker did not get has none.
            _ = FailAsync(reply, DeliverAsync(delivery, address, command, messageId, asks: true, correlation, end.Token));
            return Read<TReply>(await reply.Task.WaitAsync(timeout, cancellation));
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            var gaveUp = await delivery.GiveUpAsync();
            await end.CancelAsync();
            if (e is OperationCanceledException) throw;
            if (gaveUp) throw NotDelivered(delivery, mayBeThere: false);
            return null;
        }
        finally
        {
            _waiting.TryRemove(correlation, out _);
        }
    }

    /// <summary>Sends a command. Completes once the broker has it.</summary>
    /// <exception cref="BrokerUnavailableException">The broker has not confirmed in time that it has the command.</exception>
    public async Task SendAsync(string address, object command, Guid messageId, TimeSpan timeout, CancellationToken cancellation)
    {
        var delivery = new Delivery();
        using var end = new CancellationTokenSource();
        try
        {
            await DeliverAsync(delivery, address, command, messageId, asks: false, messageId.ToString(), end.Token).WaitAsync(timeout, cancellation);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            var gaveUp = await delivery.GiveUpAsync();
            await end.CancelAsync();
            if (e is OperationCanceledException) throw;
            throw NotDelivered(delivery, mayBeThere: !gaveUp);
        }
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    /// <summary>
    /// Tries until the broker has confirmed it, or until it is given up, which is possible only as long as nothing was written: what was written may be there, however
    /// long its confirmation takes, so nobody can say any more that it is not. Then it goes on until it surely is. A command may arrive more than once; its id tells.
    /// </summary>
    /// <exception cref="BrokerUnavailableException">The broker takes nothing at present, or has not confirmed it for long.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    private async Task DeliverAsync(Delivery delivery, string address, object command, Guid messageId, bool asks, string correlation, CancellationToken end)
    {
        using var activity = Tracing.Sending(address, command.GetType(), messageId);
        var body = JsonSerializer.SerializeToUtf8Bytes(command, command.GetType(), Wire.Json);
        for (var begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < Longest;)
        {
            var mayBeThere = delivery.MayBeThere;
            try
            {
                var channel = await _channel.GetAsync(mayBeThere ? CancellationToken.None : end);
                if (!mayBeThere && _broker.BlockedBy is { } reason) throw new BrokerUnavailableException($"The message broker takes no messages at present: {reason}.");
                var properties = _wire.Describe(command.GetType(), messageId, "Send", asks ? _replies : null, correlation);
                if (!delivery.TryWrite()) throw new OperationCanceledException(end);
                await channel.BasicPublishAsync(address, routingKey: "", mandatory: true, properties, body, CancellationToken.None);
                return;
            }
            // This one; what was written before it may be there.
            catch (RabbitMQClientException e) when (!mayBeThere && IsNoSuch(address, e))
            {
                delivery.CameBack(e);
            }
            // The client also cancels by itself, where the broker does not answer it.
            catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException or TimeoutException
                || (e is OperationCanceledException && (delivery.MayBeThere || !end.IsCancellationRequested)))
            {
                delivery.Last = e;
            }
            await Task.Delay(delivery.IsPromised ? LongPause : RetryPause, CancellationToken.None);
        }
        throw NotDelivered(delivery, mayBeThere: true);
    }

    /// <summary>Whether the broker has no queue behind this address, or not even the address.</summary>
    private static bool IsNoSuch(string address, RabbitMQClientException e) => e is PublishException { IsReturn: true }
        || e is OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.NotFound } reason } && reason.ReplyText.Contains($"'{address}'", StringComparison.Ordinal);

    private static async Task FailAsync(TaskCompletionSource<ReadOnlyMemory<byte>> reply, Task delivering)
    {
        try
        {
            await delivering;
        }
        catch (Exception e)
        {
            reply.TrySetException(e);
        }
    }

    private static BrokerUnavailableException NotDelivered(Delivery delivery, bool mayBeThere) =>
        new("The message broker did not take the command in time.", delivery.Last) { MayBeThere = mayBeThere };

    private static TReply? Read<TReply>(ReadOnlyMemory<byte> body) => JsonSerializer.Deserialize<TReply>(body.Span, Wire.Json);

    private async Task<IChannel> OpenAsync(CancellationToken cancellation)
    {
        var channel = await _broker.OpenConfirmingChannelAsync(cancellation);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            if (delivery.BasicProperties.CorrelationId is { } id && _waiting.TryGetValue(id, out var waiting))
                waiting.TrySetResult(delivery.Body.ToArray());
            return Task.CompletedTask;
        };
        _replies = (await channel.QueueDeclareAsync(cancellationToken: cancellation)).QueueName;
        await channel.BasicConsumeAsync(_replies, autoAck: true, consumer, cancellation);
        return channel;
    }

    /// <summary>How far a command has come.</summary>
    private sealed class Delivery
    {
        private const int Nothing = 0, Something = 1, GivenUp = 2, Promised = 3;

        private int _state;
        private volatile bool _hasComeBack;

        /// <summary>Why the broker did not take it the last time.</summary>
        public Exception? Last { get; set; }

        /// <summary>Something of it was written, and the broker has not said that it came back; or somebody relies on it.</summary>
        public bool MayBeThere => Volatile.Read(ref _state) is Something or Promised;

        /// <summary>Nobody waits for it any more, and somebody relies on it.</summary>
        public bool IsPromised => Volatile.Read(ref _state) == Promised;

        /// <returns>False where it was given up: then nothing may be written.</returns>
        public bool TryWrite() => Interlocked.CompareExchange(ref _state, Something, Nothing) != GivenUp;

        /// <summary>Where it has come back, and is just being written once more, this waits for that: it most likely comes back again, and then nobody need believe that it is there.</summary>
        /// <returns>True: nothing is written, and nothing will be. False: it is on its way from now on, whatever comes back.</returns>
        public async Task<bool> GiveUpAsync()
        {
            for (var begun = Stopwatch.GetTimestamp(); Interlocked.CompareExchange(ref _state, GivenUp, Nothing) != Nothing; await Task.Delay(Moment))
            {
                var waits = _hasComeBack && Stopwatch.GetElapsedTime(begun) < LongestReturn;
                if (!waits && Interlocked.CompareExchange(ref _state, Promised, Something) == Something) return false;
            }
            return true;
        }

        /// <summary>All that was written of it came back: no queue was there. Where somebody was told that it is on its way, it stays so.</summary>
        public void CameBack(Exception e)
        {
            (Last, _hasComeBack) = (e, true);
            Interlocked.CompareExchange(ref _state, Nothing, Something);
        }
    }
}
