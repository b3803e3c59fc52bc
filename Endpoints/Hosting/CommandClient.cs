using System.Collections.Concurrent;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Signup.Hosting;

/// <summary>Sends commands from outside a handler, and awaits their answers over RabbitMQ's direct reply-to, which needs no queue.</summary>
public sealed class CommandClient : IAsyncDisposable
{
    private const string DirectReplyTo = "amq.rabbitmq.reply-to";

    /// <summary>How long a reply is still of use to someone after its asker's timeout.</summary>
    private static readonly TimeSpan LateFor = TimeSpan.FromMinutes(10);

    /// <summary>Pause between attempts to hand a command over while the broker is away.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly Broker _broker;
    private readonly Wire _wire;
    private readonly LazyChannel _channel;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<ReadOnlyMemory<byte>>> _waiting = new();

    public CommandClient(Broker broker, Wire wire)
    {
        (_broker, _wire) = (broker, wire);
        _channel = new LazyChannel(OpenAsync);
    }

    /// <summary>Makes ready to send, which else the first command waits for.</summary>
    /// <exception cref="Exception">The broker cannot be reached. The next command tries anew.</exception>
    public async Task ConnectAsync(CancellationToken cancellation) => await _channel.GetAsync(cancellation);

    /// <summary>Sends a command and awaits its reply.</summary>
    /// <param name="address">The queue's name.</param>
    /// <param name="messageId">The same id again is the same command.</param>
    /// <param name="timeout">For handing over and answer together.</param>
    /// <returns>The reply, or null where none came in time: the command is safe in its queue.</returns>
    /// <exception cref="BrokerUnavailableException">The broker has not confirmed that it has the command.</exception>
    public Task<TReply?> AskAsync<TReply>(string address, object command, Guid messageId, TimeSpan timeout, CancellationToken cancellation)
        where TReply : class => AskAsync<TReply>(address, command, messageId, timeout, late: null, cancellation);

    /// <inheritdoc cref="AskAsync{TReply}(string, object, Guid, TimeSpan, CancellationToken)"/>
    /// <param name="late">Gets a reply that comes after the timeout. It may never come: such a reply is lost with the connection, the command is not.</param>
    public async Task<TReply?> AskAsync<TReply>(
        string address, object command, Guid messageId, TimeSpan timeout, Action<TReply>? late, CancellationToken cancellation)
        where TReply : class
    {
        var keep = false;
        // Two who ask the same at once each get the answer: replies are told apart by their own id, not by the command's.
        var correlation = Guid.CreateVersion7().ToString();
        var reply = _waiting[correlation] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        try
        {
            await PublishAsync(address, command, messageId, DirectReplyTo, correlation, deadline.Token);
            var body = await reply.Task.WaitAsync(deadline.Token);
            return JsonSerializer.Deserialize<TReply>(body.Span, Wire.Json);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            if (late is not null)
            {
                keep = true;
                _ = AwaitLateAsync(correlation, reply.Task, late);
            }
            return null;
        }
        finally
        {
            if (!keep) _waiting.TryRemove(correlation, out _);
        }
    }

    private async Task AwaitLateAsync<TReply>(string correlation, Task<ReadOnlyMemory<byte>> reply, Action<TReply> late)
    {
        try
        {
            var body = await reply.WaitAsync(LateFor);
            late(JsonSerializer.Deserialize<TReply>(body.Span, Wire.Json)!);
        }
        catch (TimeoutException)
        {
            // Then nobody gets to know it from here.
        }
        finally
        {
            _waiting.TryRemove(correlation, out _);
        }
    }

    /// <summary>Sends a command. Completes once the broker has it.</summary>
    /// <exception cref="BrokerUnavailableException">The broker has not confirmed that it has the command.</exception>
    public async Task SendAsync(string address, object command, Guid messageId, TimeSpan timeout, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        await PublishAsync(address, command, messageId, null, messageId.ToString(), deadline.Token);
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    /// <summary>Tries until the deadline; a command may arrive more than once, its id tells.</summary>
    private async Task PublishAsync(string address, object command, Guid messageId, string? replyTo, string correlation, CancellationToken deadline)
    {
        using var activity = Tracing.Sending(address, command.GetType(), messageId);
        var properties = _wire.Describe(command.GetType(), messageId, "Send", replyTo, correlation);
        var body = JsonSerializer.SerializeToUtf8Bytes(command, command.GetType(), Wire.Json);
        Exception? last = null;
        while (true)
        {
            try
            {
                var channel = await _channel.GetAsync(deadline);
                await channel.BasicPublishAsync(address, routingKey: "", mandatory: true, properties, body, deadline);
                return;
            }
            catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException or TimeoutException)
            {
                last = e;
            }
            catch (OperationCanceledException e)
            {
                throw new BrokerUnavailableException("The message broker did not take the command in time.", last ?? e);
            }
            try
            {
                await Task.Delay(RetryPause, deadline);
            }
            catch (OperationCanceledException)
            {
                throw new BrokerUnavailableException("The message broker cannot be reached.", last);
            }
        }
    }

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
        await channel.BasicConsumeAsync(DirectReplyTo, autoAck: true, consumer, cancellation);
        return channel;
    }
}
