using System.Globalization;
using System.Text.Json;
using RabbitMQ.Client;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.ServiceControl;

/// <summary>A message to ServiceControl as it goes onto the wire.</summary>
internal sealed record Reported(BasicProperties Properties, ReadOnlyMemory<byte> Body);

/// <summary>The messages that an endpoint tells about itself: as the plugins Heartbeat, CustomChecks and Metrics write them.</summary>
internal sealed class Reports(EndpointIdentity self, ServiceControlSettings settings)
{
    /// <summary>Of older figures the monitoring instance makes nothing; so a week of them cannot pile up while it is away.</summary>
    private static readonly TimeSpan MetricsLife = TimeSpan.FromMinutes(10);

    /// <summary>What does not arrive within four rounds has been said again by then.</summary>
    private TimeSpan Life => settings.Interval * 4;

    public Reported Startup(DateTimeOffset startedAt, string? version) => Plugin("ServiceControl.Plugin.Heartbeat.Messages.RegisterEndpointStartup", new
    {
        self.HostId,
        Endpoint = self.Name,
        StartedAt = startedAt.UtcDateTime,
        HostProperties = new Dictionary<string, string?>
        {
            ["Machine"] = self.Machine,
            ["ProcessID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            ["PathToExecutable"] = AppContext.BaseDirectory,
            ["Version"] = version,
        },
        HostDisplayName = self.Machine,
        Host = self.Machine,
    });

    public Reported Heartbeat(DateTimeOffset now) => Plugin("ServiceControl.Plugin.Heartbeat.Messages.EndpointHeartbeat",
        new { ExecutedAt = now.UtcDateTime, EndpointName = self.Name, self.HostId, Host = self.Machine });

    /// <param name="failure">Null: it passed, which is said, too, since it takes an earlier failure back.</param>
    public Reported CustomCheck(string id, string? failure, DateTimeOffset now) => Plugin("ServiceControl.Plugin.CustomChecks.Messages.ReportCustomCheckResult", new
    {
        self.HostId,
        CustomCheckId = id,
        Category = "Signup",
        HasFailed = failure is not null,
        FailureReason = failure,
        ReportedAt = now.UtcDateTime,
        EndpointName = self.Name,
        Host = self.Machine,
    });

    /// <summary>Makes the monitoring instance ask the broker for the length of this endpoint's queue.</summary>
    public Reported Metadata()
    {
        const string type = "NServiceBus.Metrics.EndpointMetadataReport";
        var properties = Monitoring(WireHeaders.Json);
        properties.Type = type;
        properties.Headers![WireHeaders.EnclosedMessageTypes] = type;
        return new Reported(properties, JsonSerializer.SerializeToUtf8Bytes(new { PluginVersion = 3, LocalAddress = self.Name }));
    }

    /// <param name="metric"><c>ProcessingTime</c>, <c>CriticalTime</c> or <c>Retries</c>.</param>
    public Reported Series(string metric, ReadOnlySpan<Occurrence> occurrences)
    {
        var properties = Monitoring("TaggedLongValueWriterOccurrence");
        properties.Headers![WireHeaders.MetricType] = metric;
        return new Reported(properties, Occurrence.Write(occurrences));
    }

    private Reported Plugin(string type, object body) => new(new BasicProperties
    {
        Persistent = true,
        MessageId = Guid.CreateVersion7().ToString(),
        Type = type,
        ContentType = WireHeaders.Json,
        ReplyTo = self.Name,
        Expiration = Milliseconds(Life),
        Headers = new Dictionary<string, object?>
        {
            [WireHeaders.EnclosedMessageTypes] = type,
            [WireHeaders.ContentType] = WireHeaders.Json,
            [WireHeaders.MessageIntent] = "Send",
            [WireHeaders.ReplyToAddress] = self.Name,
        },
    }, JsonSerializer.SerializeToUtf8Bytes(body));

    private BasicProperties Monitoring(string contentType) => new()
    {
        Persistent = true,
        MessageId = Guid.CreateVersion7().ToString(),
        ContentType = contentType,
        Expiration = Milliseconds(MetricsLife),
        Headers = new Dictionary<string, object?>
        {
            [WireHeaders.ContentType] = contentType,
            [WireHeaders.OriginatingEndpoint] = self.Name,
            [WireHeaders.OriginatingMachine] = self.Machine,
            [WireHeaders.OriginatingHostId] = self.HostId.ToString("N"),
            [WireHeaders.HostDisplayName] = self.Machine,
        },
    };

    private static string Milliseconds(TimeSpan life) => ((long)life.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
