using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Signup.Hosting.ServiceControl;

/// <summary>A copy of every handled message for ServiceControl's audit instance, where it draws conversations. Texts in it are masked: it must not
/// hold what people typed, since the log is the one place for that, and not everything typed gets there. Copies may be lost; the log is the audit trail.</summary>
public sealed class Audit(Broker broker, EndpointIdentity self, ServiceControlSettings settings, TimeProvider time, ILogger<Audit> logger) : BackgroundService
{
    private readonly Channel<Reported> _copies = Channel.CreateBounded<Reported>(new BoundedChannelOptions(1_000) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Handled(Incoming message, DateTimeOffset started)
    {
        if (settings.AuditQueue.Length == 0) return;
        var properties = Wire.Copy(message);
        var headers = properties.Headers!;
        headers[Headers.ProcessingStarted] = Wire.Date(started);
        headers[Headers.ProcessingEnded] = Wire.Date(time.GetUtcNow());
        headers[Headers.ProcessingEndpoint] = self.Name;
        headers[Headers.ProcessingMachine] = self.Machine;
        headers[Headers.HostId] = self.HostId.ToString("N");
        headers[Headers.HostDisplayName] = self.Machine;
        // Otherwise the audit instance would acknowledge the retry once more.
        if (headers.ContainsKey(Headers.RetryUniqueMessageId)) headers[Headers.RetryAcknowledgementSent] = "true";
        _copies.Writer.TryWrite(new Reported(properties, PersonalData.MaskBytes(message.Body.Span)));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.AuditQueue.Length == 0) return;
        await using var address = new MaybeAddress(broker, settings.AuditQueue, time, logger);
        try
        {
            await foreach (var copy in _copies.Reader.ReadAllAsync(stoppingToken)) await address.TrySendAsync(copy, stoppingToken);
        }
        catch (OperationCanceledException)
        {
        }
    }
}
