using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Signup.Hosting;
using Signup.Hosting.RabbitMq;

namespace Signup.Gateway.Ops;

/// <summary>A process as it is now.</summary>
/// <param name="At">Its address, where there are several of that name.</param>
/// <param name="Queue">Null for one that has none, or whose figures cannot be had, or are with another of that name already.</param>
public sealed record Part(string Name, string? At, string Does, PartState State, string? Trouble, QueueFigures? Queue, IReadOnlyList<Check> Checks);

public enum PartState { Well, Troubled, Away, Unknown }

/// <summary>One health check. The facts are numbers and words of the system's own.</summary>
public sealed record Check(string Name, string Status, string? Description, IReadOnlyList<KeyValuePair<string, string>> Facts)
{
    public bool IsWell => Status == "Healthy";
}

/// <param name="Messages">Waiting and in work.</param>
/// <param name="In">Per second.</param>
/// <param name="Out">Per second.</param>
public sealed record QueueFigures(string Name, long Messages, long InWork, long Consumers, double In, double Out);

/// <summary>Asks every process how it is, and RabbitMQ how long its queues are. Stores nothing.</summary>
public sealed class SystemState(IHttpClientFactory clients, IConfiguration settings, ManagementApi management, HealthCheckService own)
{
    public const string Client = "ops";

    private static readonly (string Name, string Does, string? Queue)[] Known =
    [
        ("Gateway", "answers browsers and programs", null),
        ("Accounts", "decides about accounts", Topology.Accounts),
        ("Uniqueness", "claims addresses, commits to the log", Topology.Uniqueness),
        ("Mail", "sends activation mails", Topology.Mail),
        ("Query", "keeps the read model", Topology.Query),
    ];

    /// <summary>All processes whose addresses are known, of the gateways this one, and why there are no queue figures, or null.</summary>
    public async Task<(IReadOnlyList<Part> Parts, QueueFigures? Error, string? NoFigures)> LookAsync(CancellationToken cancellation)
    {
        var queues = QueuesAsync(cancellation);
        var instances = Known.SelectMany(InstancesOf).ToArray();
        var answers = await Task.WhenAll(instances.Select(instance => instance.Name == "Gateway" ? AskSelfAsync(cancellation) : AskAsync(instance.Url, cancellation)));
        var (figures, trouble) = await queues;
        return ([.. instances.Zip(answers, (instance, answer) =>
        {
            var queue = instance.Queue is null ? null : figures.GetValueOrDefault(instance.Queue);
            var (state, why, checks) = answer;
            // Who does not say how he is may still be seen at work.
            if (state == PartState.Unknown && queue is not null) (state, why) = queue.Consumers > 0 ? (PartState.Well, null) : (PartState.Away, "nobody takes from its queue");
            return new Part(instance.Name, instance.At, instance.Does, state, why, queue, checks);
        })], figures.GetValueOrDefault(Topology.Error), trouble);
    }

    /// <summary>Who takes failed messages from their queue, as far as RabbitMQ says it.</summary>
    public async Task<IReadOnlyList<string>> ErrorReadersAsync(CancellationToken cancellation)
    {
        if (!management.IsThere) return [];
        try
        {
            return await management.ConsumersAsync(Topology.Error, cancellation);
        }
        catch (Exception e) when (ManagementApi.IsTrouble(e, cancellation))
        {
            return [];
        }
    }

    /// <summary>One without an address, where nobody has said; the first has the queue.</summary>
    private IEnumerable<(string Name, string? At, string Does, string? Queue, Uri? Url)> InstancesOf((string Name, string Does, string? Queue) part)
    {
        var setting = $"{part.Name}:Url";
        if (part.Name == "Gateway" || string.IsNullOrEmpty(settings[setting])) return [(part.Name, null, part.Does, part.Queue, null)];
        var urls = Settings.Urls(settings, setting);
        return urls.Select((url, n) => (part.Name, urls.Count > 1 ? url.Authority : null, part.Does, n == 0 ? part.Queue : null, (Uri?)url));
    }

    private async Task<(PartState, string?, IReadOnlyList<Check>)> AskSelfAsync(CancellationToken cancellation)
    {
        var report = await own.CheckHealthAsync(cancellation);
        return Found([.. report.Entries.Select(e => new Check(e.Key, e.Value.Status.ToString(), e.Value.Description, [.. e.Value.Data.Select(d => KeyValuePair.Create(d.Key, Short(d.Value)))]))]);
    }

    private static (PartState, string?, IReadOnlyList<Check>) Found(List<Check> checks) => (checks.TrueForAll(c => c.IsWell) ? PartState.Well : PartState.Troubled, null, checks);

    private async Task<(PartState, string?, IReadOnlyList<Check>)> AskAsync(Uri? url, CancellationToken cancellation)
    {
        if (url is null) return (PartState.Unknown, null, []);
        try
        {
            using var answer = await clients.CreateClient(Client).GetAsync(new Uri(url, "/health/ready"), cancellation);
            var report = (await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellation), cancellationToken: cancellation)).RootElement;
            return Found([.. report.GetProperty("checks").EnumerateObject().Select(c => new Check(c.Name, Text(c.Value, "status") ?? "", Text(c.Value, "description"),
                c.Value.TryGetProperty("data", out var data) ? [.. data.EnumerateObject().Select(d => KeyValuePair.Create(d.Name, Short(Value(d.Value))))] : []))]);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or KeyNotFoundException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            return (PartState.Away, "does not answer", []);
        }
    }

    private async Task<(Dictionary<string, QueueFigures> Figures, string? Trouble)> QueuesAsync(CancellationToken cancellation)
    {
        if (!management.IsThere) return ([], $"{ManagementApi.Setting} is not set: queue lengths are not known here.");
        try
        {
            return ((await management.QueuesAsync(cancellation)).Select(q => new QueueFigures(q.GetProperty("name").GetString()!, Number(q, "messages"), Number(q, "messages_unacknowledged"),
                Number(q, "consumers"), Rate(q, "publish_details"), Rate(q, "ack_details"))).ToDictionary(q => q.Name), null);
        }
        catch (Exception e) when (ManagementApi.IsTrouble(e, cancellation))
        {
            return ([], "RabbitMQ's management API does not answer: queue lengths are not known.");
        }
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static object Value(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : value;

    private static string Short(object value) => string.Format(System.Globalization.CultureInfo.InvariantCulture, value is double ? "{0:0.#}" : "{0}", value);

    private static long Number(JsonElement queue, string name) => queue.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : 0;

    private static double Rate(JsonElement queue, string name) =>
        queue.TryGetProperty("message_stats", out var stats) && stats.TryGetProperty(name, out var details) && details.TryGetProperty("rate", out var rate) ? rate.GetDouble() : 0;
}
