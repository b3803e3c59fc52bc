using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Wolverine;
using Wolverine.Runtime;
using Wolverine.Transports;

namespace Signup.Hosting;

/// <summary>
/// What becomes of a message while the database or the broker is away: it rests in the hands of its process, and is handled again. It stays unacknowledged
/// throughout, so that the broker has it, whatever dies when; and others go past it, so that one that never succeeds holds up nobody.
/// The bus's own PauseThenRequeue would put a copy at the queue's end, acknowledge the original, and stop listening meanwhile.
/// <para>
/// RabbitMQ waits 30 minutes for an acknowledgement (<c>consumer_timeout</c>). Then it closes the channel, and gives all that was on it to whoever
/// listens. The bus opens another channel as soon as nothing is in work on the old one; what rests there ends at its next waking, since its
/// acknowledgement would not count any more. So the message comes again, here or elsewhere, for another 30 minutes. Nothing is lost; what was in
/// work just then is handled twice, which handlers bear.
/// </para>
/// </summary>
internal static partial class Rest
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    /// <summary>For an error policy: retrying in place has not helped.</summary>
    public static async ValueTask ThenRetryAsync(IWolverineRuntime runtime, IEnvelopeLifecycle lifecycle, Exception fault)
    {
        var stopping = runtime.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var message = lifecycle.Envelope!;
        Rests(runtime.Logger, message.MessageType, message.Headers.GetValueOrDefault(Headers.MessageId), fault.GetBaseException().Message);
        // Not all at the same moment: many rest when the database is away.
        await Task.Delay(Duration * (0.8 + (0.4 * Random.Shared.NextDouble())), runtime.Services.GetRequiredService<TimeProvider>(), stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Neither is an end of the message: unacknowledged, it is the broker's, which gives it to another process, or to this one later.
        if (stopping.IsCancellationRequested || message.Listener is IReportConnectionState { ConnectionState: TransportConnectionState.Disconnected }) return;

        // Like one that has come again: what it meets next, such as a conflict, has all its retries.
        message.Attempts = 1;
        await lifecycle.RetryExecutionNowAsync();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{MessageType} {MessageId} cannot be handled now, and rests: {Reason}")]
    private static partial void Rests(ILogger logger, string? messageType, string? messageId, string reason);
}
