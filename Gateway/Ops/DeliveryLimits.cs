using System.Text.Json;
using Signup.Hosting.RabbitMq;

namespace Signup.Gateway.Ops;

/// <summary>
/// Whether the broker drops messages by itself: a quorum queue does after so many deliveries, where a policy says so, and from RabbitMQ 4 on after 20 where none does.
/// Ours count their own, and end in the queue error. Looked at once, at the start: a broker that we have provisioned is in order, one of the user's own may not be.
/// </summary>
public sealed partial class DeliveryLimits(ManagementApi management, Broker broker, TimeProvider time, ILogger<DeliveryLimits> logger) : BackgroundService
{
    /// <summary>What NServiceBus and ServiceControl set, and insist on (NServiceBus.RabbitMQ, DeliveryLimitPolicy). Fewer are too few; less than none is no limit.</summary>
    public const int Enough = 100_000;

    private const string Policy = "effective_policy_definition";
    private const int MostTries = 30;

    private static readonly string[] Ours = [Topology.Accounts, Topology.Uniqueness, Topology.Mail, Topology.Query, Topology.Error];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Spoken to already: the topology is declared before anything starts.
        var version = broker.Version;
        if (!management.IsThere)
        {
            if (IsLimiting(version)) NotKnown(logger, version, $"{ManagementApi.Setting} is not set", management.VirtualHost, Enough);
            return;
        }
        try
        {
            var low = (await OursAsync(stoppingToken)).Select(q => (Name: q.GetProperty("name").GetString()!, Limit: Of(q, version))).Where(q => q.Limit < Enough).ToList();
            if (low.Count > 0) TooLow(logger, version, string.Join(", ", low.Select(q => $"{q.Name} {q.Limit}")), management.VirtualHost, Enough);
            else InOrder(logger, version);
        }
        catch (Exception e) when (ManagementApi.IsTrouble(e, stoppingToken))
        {
            NotKnown(logger, version, $"RabbitMQ's management API does not answer: {e.Message}", management.VirtualHost, Enough);
        }
    }

    /// <summary>Our queues, once the API knows of their policies: it hears of a new queue within some seconds.</summary>
    private async Task<IReadOnlyList<JsonElement>> OursAsync(CancellationToken cancellation)
    {
        for (var tries = 0; ; tries++)
        {
            var ours = (await management.QueuesAsync(cancellation)).Where(q => Ours.Contains(q.GetProperty("name").GetString())).ToList();
            if (ours.TrueForAll(q => q.TryGetProperty(Policy, out _))) return ours;
            if (tries == MostTries) throw new JsonException($"It does not tell the {Policy} of queues.");
            await Task.Delay(TimeSpan.FromSeconds(1), time, cancellation);
        }
    }

    /// <summary>After how many deliveries that queue drops a message; null: never.</summary>
    /// <param name="queue">As the management API describes it.</param>
    /// <param name="version">The broker's; null where that is not known, which counts as a new one.</param>
    public static long? Of(JsonElement queue, Version? version)
    {
        if (Text(queue, "arguments", "x-queue-type") != "quorum") return null;
        long?[] given = [Number(queue, Policy, "delivery-limit"), Number(queue, "arguments", "x-delivery-limit")];
        // Of two, the smaller one counts (rabbit_quorum_queue).
        return given.Where(limit => limit is not null).Min() switch
        {
            { } limit => limit < 0 ? null : limit,
            null => IsLimiting(version) ? 20 : null,
        };
    }

    private static bool IsLimiting(Version? version) => version is null or { Major: >= 4 };

    private static JsonElement? Find(JsonElement queue, string part, string name) =>
        queue.TryGetProperty(part, out var all) && all.ValueKind == JsonValueKind.Object && all.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement queue, string part, string name) => Find(queue, part, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static long? Number(JsonElement queue, string part, string name) => Find(queue, part, name) is { ValueKind: JsonValueKind.Number } value ? value.GetInt64() : null;

    [LoggerMessage(Level = LogLevel.Information, Message = "RabbitMQ {Version} drops no message by itself")]
    private static partial void InOrder(ILogger logger, Version? version);

    private const string Remedy = "To lift the limit: rabbitmqctl set_policy -p '{Host}' signup-no-delivery-limit '.*' '{{\"delivery-limit\": {Enough}}}' --apply-to quorum_queues";

    [LoggerMessage(Level = LogLevel.Warning, Message = "RabbitMQ {Version} drops messages from these queues after so many deliveries: {Queues}. One that waits for a database is delivered more often, and would be lost. " + Remedy)]
    private static partial void TooLow(ILogger logger, Version? version, string queues, string host, int enough);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Whether RabbitMQ {Version} drops messages after some deliveries is not known: {Why}. From 4.0 on it does, after 20, unless a policy says otherwise. " + Remedy)]
    private static partial void NotKnown(ILogger logger, Version? version, string why, string host, int enough);
}
