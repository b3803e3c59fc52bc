using System.Text.Json;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client.Exceptions;
using Signup.Messages.Transport;

namespace Signup.Hosting;

/// <summary>Tells those who follow the log that it has grown, for events that come together once. Nothing depends on it but how soon they look: see
/// <see cref="LogFollower{TProjection}"/>. So it is neither stored nor confirmed.</summary>
public sealed class LogNews : IAsyncDisposable
{
    /// <summary>Between messages. The first after a rest goes at once.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>In milliseconds, as AMQP has it. Who was away for so long looks at the log when it comes back, without being told.</summary>
    private const string Expiration = "600000";

    private static readonly byte[] Body = JsonSerializer.SerializeToUtf8Bytes(new LogExtended(), Wire.Json);

    private readonly Wire _wire;
    private readonly ILogger<LogNews> _logger;
    private readonly LazyChannel _channel;
    private readonly GroupCommit<bool, bool> _telling;

    public LogNews(Broker broker, Wire wire, ILogger<LogNews> logger)
    {
        (_wire, _logger) = (wire, logger);
        _channel = new(broker.OpenChannelAsync);
        _telling = new(TellAsync, maxBatch: 1_000, Pause);
    }

    /// <summary>Events are committed. Returns at once.</summary>
    public void Tell() => _ = _telling.SubmitAsync(true);

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    private async Task<IReadOnlyList<bool>> TellAsync(IReadOnlyList<bool> committed)
    {
        try
        {
            var id = Guid.CreateVersion7();
            var properties = _wire.Describe(typeof(LogExtended), id, "Publish", replyTo: null, id.ToString());
            (properties.Persistent, properties.Expiration) = (false, Expiration);
            var channel = await _channel.GetAsync(CancellationToken.None);
            await channel.BasicPublishAsync(Topology.ExchangeOf(typeof(LogExtended)), routingKey: "", mandatory: false, properties, Body);
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException or TimeoutException)
        {
            _logger.NotTold(e);
        }
        return committed;
    }
}

internal static partial class LogNewsLog
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "That the log has grown could not be told")]
    public static partial void NotTold(this ILogger logger, Exception e);
}
