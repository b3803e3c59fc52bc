using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Signup.Hosting.RabbitMq;

namespace Signup.Tests.Integration.Operations;

/// <summary>What a failed message looked like, each time that it failed.</summary>
public sealed record Failure(BasicProperties Properties, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);
}

/// <summary>One entry in ServicePulse.</summary>
public sealed class FailedMessage
{
    public ConcurrentQueue<Failure> Attempts { get; } = [];
    public string Status { get; set; } = "unresolved";
    public int Acknowledgements { get; set; }
    public Failure Last => Attempts.Last();
}

/// <summary>As much of ServiceControl as an endpoint can tell: takes failures from the queue error and refuses what the real one refuses, sends
/// them back as the real one does, and waits for the acknowledgement. Follows the real one's sources and captures of its messages.</summary>
public sealed class FakeServiceControl(Broker broker) : IAsyncDisposable
{
    /// <summary>What it takes off a message that it sends back; by beginning.</summary>
    private static readonly string[] Removed = ["NServiceBus.Retries", "NServiceBus.FailedQ", "NServiceBus.TimeOfFailure", "NServiceBus.ExceptionInfo.", "ServiceControl.EditOf"];

    private IChannel? _channel;

    public ConcurrentDictionary<string, FailedMessage> Messages { get; } = [];

    /// <summary>What the real one could not import, and would never show.</summary>
    public ConcurrentQueue<string> FailedImports { get; } = [];

    public async Task StartAsync()
    {
        _channel = await broker.OpenConfirmingChannelAsync(Wait.Token);
        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            Take(delivery);
            await _channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
        };
        await _channel.BasicConsumeAsync("error", autoAck: false, consumer);
    }

    /// <summary>The entry of the message that the endpoint got with this id.</summary>
    public static string UniqueId(string messageId, string processingEndpoint) =>
#pragma warning disable CA5351 // Not for secrecy: it is how ServiceControl names its entries.
        new Guid(MD5.HashData(Encoding.UTF8.GetBytes(messageId + processingEndpoint))).ToString();
#pragma warning restore CA5351

    /// <summary>The entry, once the message has failed so many times.</summary>
    public Task<FailedMessage> FailedAsync(string messageId, string endpoint, int times = 1) => Wait.ForAsync(() => Task.FromResult(
        Messages.TryGetValue(UniqueId(messageId, endpoint), out var failed) && failed.Attempts.Count >= times ? failed : null), $"{messageId} failed {times} times in {endpoint}");

    /// <summary>The operator's button. Its AMQP message id is the same on every retry of a message.</summary>
    public Task RetryAsync(FailedMessage failed)
    {
        failed.Status = "retryIssued";
        var unique = Unique(failed.Last.Headers);
        return SendBackAsync(failed.Last, unique, failed.Last.Body, (WireHeaders.RetryUniqueMessageId, unique));
    }

    /// <summary>The operator's editor: what is sent is a message of its own, and the failed one counts as resolved at once.</summary>
    /// <returns>The id of the new one.</returns>
    public async Task<string> EditAsync(FailedMessage failed, byte[] body)
    {
        failed.Status = "resolved";
        var id = Guid.NewGuid().ToString();
        await SendBackAsync(failed.Last, id, body, (WireHeaders.MessageId, id), ("ServiceControl.EditOf", Unique(failed.Last.Headers)));
        return id;
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null) await _channel.DisposeAsync();
    }

    private async Task SendBackAsync(Failure failure, string id, byte[] body, params (string Name, string Value)[] added)
    {
        var headers = failure.Headers.Where(h => !Removed.Any(r => h.Key.StartsWith(r, StringComparison.Ordinal))).ToDictionary(h => h.Key, h => (object?)h.Value);
        headers[WireHeaders.RetryAcknowledgementQueue] = "error";
        foreach (var (name, value) in added) headers[name] = value;
        var properties = new BasicProperties
        {
            MessageId = id,
            CorrelationId = failure.Properties.CorrelationId,
            ReplyTo = failure.Properties.ReplyTo,
            Type = failure.Properties.Type,
            ContentType = failure.Properties.ContentType,
            Persistent = true,
            Headers = headers,
        };
        await _channel!.BasicPublishAsync(failure.Headers[WireHeaders.FailedQ], routingKey: "", mandatory: true, properties, body, Wait.Token);
    }

    private void Take(BasicDeliverEventArgs delivery)
    {
        var headers = (delivery.BasicProperties.Headers ?? new Dictionary<string, object?>()).ToDictionary(h => h.Key, h => h.Value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : $"{h.Value}");
        if (headers.ContainsKey(WireHeaders.RetrySuccessful))
        {
            if (!Messages.TryGetValue(headers[WireHeaders.RetryUniqueMessageId], out var resolved))
            {
                FailedImports.Enqueue($"an acknowledgement of {headers[WireHeaders.RetryUniqueMessageId]}, which is no message");
                return;
            }
            resolved.Acknowledgements++;
            resolved.Status = "resolved";
            return;
        }
        if (Missing(headers) is { } missing)
        {
            FailedImports.Enqueue($"{delivery.BasicProperties.MessageId}: {missing}");
            return;
        }
        var message = Messages.GetOrAdd(Unique(headers), _ => new FailedMessage());
        message.Attempts.Enqueue(new Failure(new BasicProperties(delivery.BasicProperties), headers, delivery.Body.ToArray()));
        message.Status = "unresolved";
    }

    /// <summary>What it cannot do without. Dates of another length make it throw.</summary>
    private static string? Missing(Dictionary<string, string> headers) =>
        !headers.ContainsKey(WireHeaders.MessageId) ? WireHeaders.MessageId
        : !headers.ContainsKey(WireHeaders.FailedQ) ? WireHeaders.FailedQ
        : headers.FirstOrDefault(h => h.Key is WireHeaders.TimeOfFailure or WireHeaders.TimeSent && h.Value.Length != 28).Key;

    private static string Unique(IReadOnlyDictionary<string, string> headers) =>
        headers.GetValueOrDefault(WireHeaders.RetryUniqueMessageId) ?? UniqueId(headers[WireHeaders.MessageId], headers.GetValueOrDefault(WireHeaders.ProcessingEndpoint) ?? headers[WireHeaders.FailedQ]);
}
