using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Wolverine;
using Wolverine.Runtime;
using Wolverine.Transports;

namespace Signup.Hosting.ServiceControl;

/// <summary>
/// Moves a message that cannot be handled to the queue <c>error</c>. The original is acknowledged only once the broker has confirmed the copy:
/// the bus's own way keeps the copy in memory when the first attempt to send it fails, and acknowledges all the same.
/// </summary>
internal sealed partial class Failures(Broker broker, Wire wire, EndpointIdentity self, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<Failures> logger)
    : IMissingHandler, IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200), LongestPause = TimeSpan.FromSeconds(15);

    private readonly LazyChannel _channel = new(broker.OpenConfirmingChannelAsync);

    /// <summary>For an error policy: a handler has failed, and will fail again.</summary>
    public static async ValueTask MoveAsync(IWolverineRuntime runtime, IEnvelopeLifecycle lifecycle, Exception fault)
    {
        if (await runtime.Services.GetRequiredService<Failures>().PublishAsync(lifecycle.Envelope!, fault)) await lifecycle.CompleteAsync();
    }

    /// <summary>Nobody handles it: its type is unknown here, or its body cannot be read.</summary>
    /// <exception cref="DeadLetterMoveFailedException">The process ends first; the message stays in its queue.</exception>
    public async ValueTask HandleAsync(IEnvelopeLifecycle context, IWolverineRuntime root)
    {
        var envelope = context.Envelope!;
        var fault = envelope.Message is Unreadable unreadable ? unreadable.Fault : new UnknownMessageException($"No handler here knows messages of the type {envelope.MessageType}.");
        if (!await PublishAsync(envelope, fault)) throw new DeadLetterMoveFailedException("The process ended before the broker had the message.", fault);
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    /// <summary>Tries until the broker has it. Never throws: the bus would take that for the message's end.</summary>
    /// <returns>False where the process ends first.</returns>
    private async Task<bool> PublishAsync(Envelope failed, Exception fault)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                var properties = new BasicProperties();
                wire.MapEnvelopeToOutgoing(failed, properties);
                Faults.Describe(properties.Headers!, fault, self, time.GetUtcNow());
                var channel = await _channel.GetAsync(CancellationToken.None);
                await channel.BasicPublishAsync(Topology.Error, routingKey: "", mandatory: true, properties, failed.Data);
                Moved(logger, Type(failed), failed.Headers.GetValueOrDefault(Headers.MessageId), fault.GetType().FullName);
                return true;
            }
            catch (Exception e)
            {
                NotMoved(logger, e, Type(failed), failed.Headers.GetValueOrDefault(Headers.MessageId));
            }
            try
            {
                await Task.Delay(pause, time, lifetime.ApplicationStopping);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }

    /// <summary>As the sender calls it.</summary>
    private static string? Type(Envelope failed) => failed.Headers.GetValueOrDefault(Headers.EnclosedMessageTypes)?.Split(',', ';')[0] ?? failed.MessageType;

    [LoggerMessage(Level = LogLevel.Error, Message = "{MessageType} {MessageId} is in the queue error: {Fault}")]
    private static partial void Moved(ILogger logger, string? messageType, string? messageId, string? fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{MessageType} {MessageId} cannot be moved to the queue error yet; it stays where it is")]
    private static partial void NotMoved(ILogger logger, Exception e, string? messageType, string? messageId);
}

/// <summary>A message of a type that this endpoint does not handle.</summary>
public sealed class UnknownMessageException(string message) : Exception(message);
