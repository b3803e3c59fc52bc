using Microsoft.Extensions.Logging;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Handling;

/// <summary>
/// Moves a message that cannot be handled to the queue <c>error</c>. The original is acknowledged only once the broker has confirmed the copy.
/// </summary>
internal sealed partial class MoveToError(Broker broker, EndpointIdentity self, TimeProvider time, ILogger<MoveToError> logger) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200), LongestPause = TimeSpan.FromSeconds(15);

    private readonly LazyChannel _channel = new(broker.OpenConfirmingChannelAsync);

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    /// <summary>Tries until the broker has it.</summary>
    /// <returns>False where it is given up before that.</returns>
    public async Task<bool> MoveAsync(Incoming failed, Exception fault, CancellationToken cancellation)
    {
        for (var pause = FirstPause; !cancellation.IsCancellationRequested; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                var properties = Wire.Copy(failed);
                FaultHeaders.Describe(properties.Headers!, fault, self, time.GetUtcNow());
                var channel = await _channel.GetAsync(CancellationToken.None);
                await channel.BasicPublishAsync(Topology.Error, routingKey: "", mandatory: true, properties, failed.Body, CancellationToken.None);
                Moved(logger, Type(failed), failed.MessageId, fault.GetType().FullName);
                return true;
            }
            catch (Exception e)
            {
                NotMoved(logger, e, Type(failed), failed.MessageId);
            }
            await Task.Delay(pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return false;
    }

    /// <summary>As the sender calls it.</summary>
    private static string Type(Incoming failed) => failed[WireHeaders.EnclosedMessageTypes]?.Split(',', ';')[0] ?? failed.Type;

    [LoggerMessage(Level = LogLevel.Error, Message = "{MessageType} {MessageId} is in the queue error: {Fault}")]
    private static partial void Moved(ILogger logger, string messageType, string messageId, string? fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{MessageType} {MessageId} cannot be moved to the queue error yet; it stays where it is")]
    private static partial void NotMoved(ILogger logger, Exception e, string messageType, string messageId);
}

/// <summary>A message of a type that this endpoint does not handle.</summary>
public sealed class UnknownMessageException(string message) : Exception(message);
