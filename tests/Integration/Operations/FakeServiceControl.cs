using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Signup.Hosting;
using Signup.Tests.Fixture;
using Headers = Signup.Hosting.Headers;

namespace Signup.Tests.Integration.Operations;

/// <summary>One entry in ServicePulse: what the message looked like, each time that it failed.</summary>
public sealed class FailedMessage(Delivery first)
{
    public ConcurrentQueue<Delivery> Attempts { get; } = new([first]);
    public ConcurrentQueue<Delivery> Acknowledgements { get; } = [];
    public string Status { get; set; } = "unresolved";
    public Delivery Last => Attempts.Last();
}

/// <summary>What an endpoint has told about itself.</summary>
/// <param name="Kind">The message's type without its namespace.</param>
public sealed record Report(string Kind, string Endpoint, JsonElement Body, DateTimeOffset ArrivedAt);

/// <summary>As much of ServiceControl as an endpoint can tell: takes failures from the queue error and refuses what the real one refuses, sends
/// them back as the real one does, and waits for the acknowledgement. Follows the real one's sources and captures of its messages.</summary>
public sealed class FakeServiceControl(Broker broker) : IAsyncDisposable
{
    public const string Queue = "Particular.ServiceControl", MonitoringQueue = "Particular.Monitoring", AuditQueue = "audit";

    /// <summary>What it takes off a message that it sends back; by beginning.</summary>
    private static readonly string[] Removed = ["NServiceBus.Retries", "NServiceBus.FailedQ", "NServiceBus.TimeOfFailure", "NServiceBus.ExceptionInfo.", "ServiceControl.EditOf"];

    private IChannel? _channel;

    public ConcurrentDictionary<string, FailedMessage> Messages { get; } = [];

    /// <summary>What the real one could not import, and would never show.</summary>
    public ConcurrentQueue<string> FailedImports { get; } = [];

    /// <summary>Acknowledgements of retries that it knows nothing of.</summary>
    public ConcurrentQueue<Delivery> UnknownAcknowledgements { get; } = [];

    /// <summary>Heartbeats, custom checks and starts, in the order of their arrival.</summary>
    public ConcurrentQueue<Report> Reports { get; } = [];

    /// <summary>What the monitoring instance got.</summary>
    public ConcurrentQueue<Delivery> Figures { get; } = [];

    /// <summary>What the audit instance got.</summary>
    public ConcurrentQueue<Delivery> Audited { get; } = [];

    /// <summary>Takes what arrives in the queue error.</summary>
    public Task StartAsync() => ConsumeAsync("error", TakeError);

    /// <summary>Makes the addresses that endpoints report to, and takes what arrives there. Without this there are no such addresses.</summary>
    public async Task WatchAsync()
    {
        _channel ??= await broker.OpenConfirmingChannelAsync(CancellationToken.None);
        foreach (var address in new[] { Queue, MonitoringQueue, AuditQueue }) await Topology.DeclareQueueAsync(_channel, address, CancellationToken.None);
        await ConsumeAsync(Queue, TakeReport);
        await ConsumeAsync(MonitoringQueue, Figures.Enqueue);
        await ConsumeAsync(AuditQueue, Audited.Enqueue);
    }

    /// <summary>The entry of the message that the endpoint got with this id.</summary>
    public static string UniqueId(string messageId, string processingEndpoint) =>
#pragma warning disable CA5351 // Not for secrecy: it is how ServiceControl names its entries.
        new Guid(MD5.HashData(Encoding.UTF8.GetBytes(messageId + processingEndpoint))).ToString();
#pragma warning restore CA5351

    /// <summary>The entry, once the message has failed so many times.</summary>
    public Task<FailedMessage> FailedAsync(string messageId, string endpoint, int times = 1) => Wait.ForAsync(() => Task.FromResult(
        Messages.TryGetValue(UniqueId(messageId, endpoint), out var failed) && failed.Attempts.Count >= times ? failed : null), $"{messageId} failed {times} times in {endpoint}");

    /// <summary>The entry of the proposal that a sign-up has led to, once it has failed in Uniqueness.</summary>
    public Task<FailedMessage> ProposalFailedAsync(Guid accountId) => Wait.ForAsync(() => Task.FromResult(Messages.Values.FirstOrDefault(m =>
        m.Last.Headers[Headers.FailedQ] == "uniqueness" && m.Last.Text.Contains(accountId.ToString(), StringComparison.Ordinal))), "the proposal has failed in Uniqueness");

    /// <summary>The first heartbeat of an endpoint.</summary>
    public Task<Report> HeartbeatAsync(string endpoint) => Wait.ForAsync(() => Task.FromResult(Reports.FirstOrDefault(r => r.Kind == "EndpointHeartbeat" && r.Endpoint == endpoint)), $"a heartbeat of {endpoint}");

    /// <summary>The first result of that kind of an endpoint's custom check.</summary>
    public Task<Report> CheckAsync(string endpoint, string check, bool failed) => Wait.ForAsync(() => Task.FromResult(Reports.FirstOrDefault(r => r.Kind == "ReportCustomCheckResult"
        && r.Endpoint == endpoint && r.Body.GetProperty("CustomCheckId").GetString() == check && r.Body.GetProperty("HasFailed").GetBoolean() == failed)),
        $"{endpoint} reports that {check} {(failed ? "failed" : "passed")}");

    /// <summary>The operator's button.</summary>
    public async Task RetryAsync(FailedMessage failed)
    {
        var failure = failed.Last;
        var headers = failure.Headers.Where(h => !Removed.Any(r => h.Key.StartsWith(r, StringComparison.Ordinal))).ToDictionary(h => h.Key, h => (object?)h.Value);
        var unique = Unique(failure.Headers);
        headers[Headers.RetryUniqueMessageId] = unique;
        headers[Headers.RetryAcknowledgementQueue] = "error";
        var properties = new BasicProperties
        {
            // The same on every retry of a message.
            MessageId = unique,
            CorrelationId = failure.Properties.CorrelationId,
            ReplyTo = failure.Properties.ReplyTo,
            Type = failure.Properties.Type,
            ContentType = failure.Properties.ContentType,
            Persistent = true,
            Headers = headers,
        };
        failed.Status = "retryIssued";
        await _channel!.BasicPublishAsync(failure.Headers[Headers.FailedQ], routingKey: "", mandatory: true, properties, failure.Body);
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null) await _channel.DisposeAsync();
    }

    private async Task ConsumeAsync(string queue, Action<Delivery> take)
    {
        var channel = _channel ??= await broker.OpenConfirmingChannelAsync(CancellationToken.None);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            try
            {
                take(Delivery.Of(delivery.BasicProperties, delivery.Body));
            }
            catch (Exception e)
            {
                // As the real one does: it is put aside, and the next one is taken.
                FailedImports.Enqueue($"{delivery.BasicProperties.MessageId} in {queue}: {e}");
            }
            await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
        };
        await channel.BasicConsumeAsync(queue, autoAck: false, consumer);
    }

    private void TakeError(Delivery message)
    {
        var headers = message.Headers;
        if (headers.ContainsKey(Headers.RetrySuccessful))
        {
            if (headers.GetValueOrDefault(Headers.RetryUniqueMessageId) is { } retried && Messages.TryGetValue(retried, out var resolved))
            {
                resolved.Acknowledgements.Enqueue(message);
                resolved.Status = "resolved";
            }
            else
            {
                UnknownAcknowledgements.Enqueue(message);
            }
        }
        else if (Missing(headers) is { } missing)
        {
            FailedImports.Enqueue($"{message.Properties.MessageId}: {missing}");
        }
        else if (Messages.TryGetValue(Unique(headers), out var known))
        {
            // In this order: whoever has seen the attempt may retry it at once.
            known.Status = "unresolved";
            known.Attempts.Enqueue(message);
        }
        else
        {
            Messages[Unique(headers)] = new FailedMessage(message);
        }
    }

    private void TakeReport(Delivery message)
    {
        var kind = message.Properties.Type!.Split('.')[^1];
        var body = JsonDocument.Parse(message.Body).RootElement;
        var endpoint = body.GetProperty(kind == "RegisterEndpointStartup" ? "Endpoint" : "EndpointName").GetString();
        // Without these, the real one's handlers throw.
        if (string.IsNullOrEmpty(endpoint) || string.IsNullOrEmpty(body.GetProperty("Host").GetString()) || body.GetProperty("HostId").GetGuid() == Guid.Empty)
            throw new FormatException($"Whose report is it? {message.Text}");
        Reports.Enqueue(new Report(kind, endpoint, body, DateTimeOffset.UtcNow));
    }

    /// <summary>What it cannot do without. Dates of another length make it throw.</summary>
    private static string? Missing(IReadOnlyDictionary<string, string> headers) =>
        !headers.ContainsKey(Headers.MessageId) ? Headers.MessageId
        : !headers.ContainsKey(Headers.FailedQ) ? Headers.FailedQ
        : headers.FirstOrDefault(h => h.Key is Headers.TimeOfFailure or Headers.TimeSent && h.Value.Length != 28).Key;

    private static string Unique(IReadOnlyDictionary<string, string> headers) =>
        headers.GetValueOrDefault(Headers.RetryUniqueMessageId) ?? UniqueId(headers[Headers.MessageId], headers.GetValueOrDefault(Headers.ProcessingEndpoint) ?? headers[Headers.FailedQ]);
}
