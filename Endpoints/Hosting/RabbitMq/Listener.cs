using System.Diagnostics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Signup.Hosting.RabbitMq;

/// <summary>
/// Consumes from one queue for as long as the process runs. Whatever ends a consumer (the connection is lost, the broker has closed its channel, the queue was deleted, the broker came back
/// without its data), it is consumed again, at another node where there are several, and declared where it is not there; until then the process is not ready, and says why.
/// <para>
/// A message stays unacknowledged until its work is done, so that the broker has it, whatever dies when. RabbitMQ waits 30 minutes for an acknowledgement (<c>consumer_timeout</c>); then it
/// closes the channel, and gives all that was on it to whoever listens. What was in work just then is handled twice, which handlers bear.
/// </para>
/// </summary>
/// <param name="broker">A connection of its own: one that publishes is stopped by a broker that is short of memory or disk, with all acknowledgements on it.</param>
internal abstract partial class Listener(Broker broker, string name, ushort concurrency, ILogger logger) : BackgroundService, IHealthCheck
{
    /// <summary>Key of the connection that listeners share.</summary>
    public const string Connection = "listening";

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>How long what is in work may take after the process was told to stop. Then it is the broker's again.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private volatile string? _obstacle = "It has not begun yet.";

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_obstacle is { } obstacle ? HealthCheckResult.Unhealthy($"No messages are taken from {name}: {obstacle}") : HealthCheckResult.Healthy());

    /// <summary>Sees to it that the queue is there.</summary>
    /// <param name="missing">It, or what it gets its messages from, may not be there. Else nothing should be declared: that takes all nodes of a broker, of which one may just have gone.</param>
    /// <returns>The queue's name.</returns>
    protected abstract Task<string> PrepareAsync(IChannel channel, bool missing, CancellationToken cancellation);

    /// <summary>From now on messages come; some may have gone by before.</summary>
    protected virtual void Begun()
    {
    }

    /// <param name="ended">There is no use in going on: the message is the broker's again.</param>
    /// <returns>Whether it is done with. Only where <paramref name="ended"/> it may be not.</returns>
    protected abstract Task<bool> TakeAsync(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken ended);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (pause, told, missing) = (FirstPause, (string?)null, true);
        while (!stoppingToken.IsCancellationRequested)
        {
            var begun = Stopwatch.GetTimestamp();
            try
            {
                using var ended = new CancellationTokenSource();
                await using var channel = await broker.OpenChannelAsync(stoppingToken, concurrency);
                var queue = await PrepareAsync(channel, missing, stoppingToken);
                await channel.BasicQosAsync(prefetchSize: 0, concurrency, global: false, stoppingToken);
                var consumer = new Consumer(this, channel, new Acknowledgements(channel, concurrency), ended, stoppingToken);
                var end = consumer.EndAsync(await channel.BasicConsumeAsync(queue, autoAck: false, consumer, stoppingToken));
                Begun();
                (_obstacle, missing) = (null, false);
                // What ends it again and again is told once.
                if (told is null || await Task.WhenAny(end, Task.Delay(LongestPause, CancellationToken.None)) != end)
                {
                    told = null;
                    Takes(logger, name);
                }
                _obstacle = await end;
                missing = consumer.IsQueueGone;
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                _obstacle = e.InnerException?.Message ?? e.Message;
                missing |= e is OperationInterruptedException { ShutdownReason.ReplyCode: Constants.NotFound };
            }
            if (stoppingToken.IsCancellationRequested) return;
            if (_obstacle != told) TakesNone(logger, name, told = _obstacle);
            // What ends it again and again must not keep the broker busy.
            pause = Stopwatch.GetElapsedTime(begun) > LongestPause ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
            await Task.Delay(pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Messages are taken from {Queue}")]
    private static partial void Takes(ILogger logger, string queue);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No messages are taken from {Queue}, trying again: {Obstacle}")]
    private static partial void TakesNone(ILogger logger, string queue, string obstacle);

    private void ComesAgain(Exception e) => ComesAgain(logger, e, name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message from {Queue} comes again")]
    private static partial void ComesAgain(ILogger logger, Exception e, string queue);

    private sealed class Consumer : AsyncDefaultBasicConsumer
    {
        private readonly Listener _listener;
        private readonly Acknowledgements _acknowledgements;
        private readonly CancellationToken _stopping;
        private readonly CancellationTokenSource _ended;
        private readonly TaskCompletionSource<string> _obstacle = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _inWork = 1;

        /// <param name="ended">Cancelled when the messages in work are the broker's again.</param>
        public Consumer(Listener listener, IChannel channel, Acknowledgements acknowledgements, CancellationTokenSource ended, CancellationToken stopping) : base(channel)
        {
            (_listener, _acknowledgements, _ended, _stopping) = (listener, acknowledgements, ended, stopping);
            channel.ChannelShutdownAsync += (_, shutdown) => LostAsync(shutdown.ReplyText);
        }

        public override async Task HandleBasicDeliverAsync(string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey,
            IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
        {
            _acknowledgements.Begin(deliveryTag);
            // Unacknowledged, it is the broker's, which gives it to another process, or to this one later.
            if (_ended.IsCancellationRequested || _stopping.IsCancellationRequested) return;
            Interlocked.Increment(ref _inWork);
            try
            {
                if (await _listener.TakeAsync(properties, body, _ended.Token)) await _acknowledgements.EndAsync(deliveryTag);
            }
            catch (Exception e)
            {
                // The channel was lost, and with it the message.
                if (!_ended.IsCancellationRequested) _listener.ComesAgain(e);
            }
            finally
            {
                Leave();
            }
        }

        /// <summary>Returns once no more messages come; where the process stops, once none is in work.</summary>
        /// <returns>Why.</returns>
        public async Task<string> EndAsync(string tag)
        {
            await using var _ = _stopping.Register(() => _obstacle.TrySetResult("The process stops."));
            var obstacle = await _obstacle.Task;
            if (!_stopping.IsCancellationRequested || !Channel.IsOpen) return obstacle;
            await Channel.BasicCancelAsync(tag).WaitAsync(Grace).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Leave();
            await _idle.Task.WaitAsync(Grace).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _acknowledgements.SendAsync().WaitAsync(Grace).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return obstacle;
        }

        /// <summary>It was deleted, and may be there again by now, in another shape.</summary>
        public bool IsQueueGone { get; private set; }

        public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default)
        {
            IsQueueGone = true;
            return LostAsync("The queue is not there any more.");
        }

        private async Task LostAsync(string why)
        {
            _obstacle.TrySetResult(why);
            await _ended.CancelAsync();
        }

        private void Leave()
        {
            if (Interlocked.Decrement(ref _inWork) == 0) _idle.TrySetResult();
        }
    }
}
