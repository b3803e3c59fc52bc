using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Signup.Hosting;

namespace Signup.Gateway.Ops;

/// <summary>A part of the system as it is now.</summary>
/// <param name="Trouble">Said instead of the state's name, where there is more to say.</param>
/// <param name="Queue">Null for one that has none, or whose figures cannot be had.</param>
public sealed record Part(string Name, string Does, PartState State, string? Trouble, QueueFigures? Queue, IReadOnlyList<Check> Checks);

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
public sealed class SystemState(IHttpClientFactory clients, HealthCheckService self, IConfiguration settings)
{
    public const string Client = "ops";

    /// <summary>Who has not answered by then does not answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly (string Name, string Does, string? Queue)[] Known =
    [
        ("Gateway", "answers browsers and programs", null),
        ("Accounts", "decides about accounts", Topology.Accounts),
        ("Uniqueness", "claims addresses, commits to the log", Topology.Uniqueness),
        ("Mail", "sends activation mails", Topology.Mail),
        ("Query", "keeps the read model", Topology.Query),
    ];

    /// <summary>All parts, and why there are no queue figures, or null.</summary>
    public async Task<(IReadOnlyList<Part> Parts, QueueFigures? Error, string? NoFigures)> LookAsync(CancellationToken cancellation)
    {
        var queues = QueuesAsync(cancellation);
        var answers = await Task.WhenAll(Known.Select(part => part.Name == "Gateway" ? AskMyselfAsync(cancellation) : AskAsync(settings[$"{part.Name}:Url"], cancellation)));
        var (figures, trouble) = await queues;
        var known = Known.Select((part, i) =>
        {
            var queue = part.Queue is null ? null : figures.GetValueOrDefault(part.Queue);
            var (state, why, checks) = answers[i];
            // Who does not say how he is may still be seen at work.
            if (state == PartState.Unknown && queue is not null) (state, why) = queue.Consumers > 0 ? (PartState.Well, null) : (PartState.Away, "nobody takes from its queue");
            return new Part(part.Name, part.Does, state, why, queue, checks);
        });
        return ([.. known, .. Others(figures.Values)], figures.GetValueOrDefault(Topology.Error), trouble);
    }

    /// <summary>Whatever else has a queue here, by its name. That nobody takes from it may be as it should: some queues hold messages for later.</summary>
    private static IEnumerable<Part> Others(IEnumerable<QueueFigures> queues) => queues
        .Where(q => q.Name != Topology.Error && !Known.Any(k => k.Queue == q.Name))
        .OrderBy(q => q.Name, StringComparer.Ordinal)
        .Select(q => q.Consumers > 0 ? new Part(q.Name, "a further queue", PartState.Well, null, q, []) : new Part(q.Name, "a further queue", PartState.Unknown, "nobody takes from it", q, []));

    private async Task<(PartState, string?, IReadOnlyList<Check>)> AskAsync(string? url, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(url)) return (PartState.Unknown, null, []);
        try
        {
            using var answer = await clients.CreateClient(Client).GetAsync(new Uri(new Uri(url), "/health/ready"), cancellation);
            return Read((await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellation), cancellationToken: cancellation)).RootElement);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or KeyNotFoundException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            return (PartState.Away, "does not answer", []);
        }
    }

    /// <summary>Not by its address, since it may listen where it cannot reach itself: behind a certificate for another name, for example.</summary>
    private async Task<(PartState, string?, IReadOnlyList<Check>)> AskMyselfAsync(CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            return Read(JsonSerializer.SerializeToElement(Health.Describe(await self.CheckHealthAsync(patience.Token)), JsonSerializerOptions.Web));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (PartState.Troubled, "its checks do not end", []);
        }
    }

    /// <summary>What <c>/health/ready</c> says.</summary>
    private static (PartState, string?, IReadOnlyList<Check>) Read(JsonElement report)
    {
        var checks = report.GetProperty("checks").EnumerateObject().Select(c => new Check(c.Name, Text(c.Value, "status") ?? "", Text(c.Value, "description"),
            c.Value.TryGetProperty("data", out var data) ? [.. data.EnumerateObject().Select(d => KeyValuePair.Create(d.Name, Short(d.Value)))] : [])).ToList();
        return (checks.TrueForAll(c => c.IsWell) ? PartState.Well : PartState.Troubled, null, checks);
    }

    private async Task<(Dictionary<string, QueueFigures> Figures, string? Trouble)> QueuesAsync(CancellationToken cancellation)
    {
        if (settings["RabbitMq:ManagementUrl"] is not { Length: > 0 } url) return ([], "RabbitMq:ManagementUrl is not set: queue lengths are not known here.");
        try
        {
            var uri = new Uri(url);
            var host = Uri.EscapeDataString(Uri.UnescapeDataString(new Uri(SignupEndpoint.Setting(settings, "ConnectionStrings:RabbitMq")).AbsolutePath.Trim('/') is { Length: > 0 } path ? path : "/"));
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{uri.Scheme}://{uri.Authority}/api/queues/{host}?disable_stats=false");
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(uri.UserInfo))));
            using var answer = await clients.CreateClient(Client).SendAsync(request, cancellation);
            answer.EnsureSuccessStatusCode();
            var queues = (await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellation), cancellationToken: cancellation)).RootElement;
            return (queues.EnumerateArray().Select(q => new QueueFigures(q.GetProperty("name").GetString()!, Number(q, "messages"), Number(q, "messages_unacknowledged"),
                Number(q, "consumers"), Rate(q, "publish_details"), Rate(q, "ack_details"))).ToDictionary(q => q.Name), null);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or UriFormatException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            return ([], "RabbitMQ's management API does not answer: queue lengths are not known.");
        }
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Short(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
        ? number.ToString("0.#", System.Globalization.CultureInfo.InvariantCulture) : value.ToString();

    private static long Number(JsonElement queue, string name) => queue.TryGetProperty(name, out var value) && value.TryGetInt64(out var number) ? number : 0;

    private static double Rate(JsonElement queue, string name) =>
        queue.TryGetProperty("message_stats", out var stats) && stats.TryGetProperty(name, out var details) && details.TryGetProperty("rate", out var rate) ? rate.GetDouble() : 0;
}
