using Microsoft.Extensions.Logging;
using RabbitMQ.Client.Exceptions;

namespace Signup.Hosting.RabbitMq;

/// <summary>Declares the topology before anything else starts, and waits for a broker that is not there yet.</summary>
internal sealed partial class DeclareTopology(Broker broker, ILogger<DeclareTopology> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await using var channel = await broker.OpenChannelAsync(cancellation);
                await Topology.DeclareAsync(channel, cancellation);
                return;
            }
            catch (Exception e) when (MayPass(e))
            {
                BrokerAway(logger, e.InnerException?.Message ?? e.Message);
                await Task.Delay(Pause, cancellation);
            }
        }
    }

    /// <summary>Whether the way to the broker failed, or the broker itself (it is starting or stopping), rather than what was asked of it:
    /// 403 to 406 say that this user may not, or that something of another shape is there.</summary>
    private static bool MayPass(Exception e) => e is BrokerUnreachableException or IOException or TimeoutException
        || e is OperationInterruptedException { ShutdownReason: null or { ReplyCode: < 403 or > 406 } };

    [LoggerMessage(Level = LogLevel.Warning, Message = "RabbitMQ cannot be reached, trying again: {Reason}")]
    private static partial void BrokerAway(ILogger logger, string reason);
}
