using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.ServiceControl;

/// <summary>A copy of every handled message for ServiceControl's audit instance, where it draws conversations. Texts in it are masked: it must not
/// hold what people typed, since the log is the one place for that, and not everything typed gets there. Copies may be lost; the log is the audit trail.</summary>
public sealed class AuditCopies(Broker broker, EndpointIdentity self, ServiceControlSettings settings, TimeProvider time, ILogger<AuditCopies> logger) : BackgroundService
{
    private readonly Channel<Reported> _copies = Channel.CreateBounded<Reported>(new BoundedChannelOptions(1_000) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Handled(Incoming message, DateTimeOffset started)
    {
        if (settings.AuditQueue.Length == 0) return;
        var properties = Wire.Copy(message);
        var headers = properties.Headers!;
        headers[WireHeaders.ProcessingStarted] = Wire.Date(started);
        headers[WireHeaders.ProcessingEnded] = Wire.Date(time.GetUtcNow());
        headers[WireHeaders.ProcessingEndpoint] = self.Name;
        headers[WireHeaders.ProcessingMachine] = self.Machine;
        headers[WireHeaders.HostId] = self.HostId.ToString("N");
        headers[WireHeaders.HostDisplayName] = self.Machine;
        // Otherwise the audit instance would acknowledge the retry once more.
        if (headers.ContainsKey(WireHeaders.RetryUniqueMessageId)) headers[WireHeaders.RetryAcknowledgementSent] = "true";
        _copies.Writer.TryWrite(new Reported(properties, Masking.MaskBytes(message.Body.Span)));
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
