using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Signup.Hosting;
using Signup.Hosting.Calls;

namespace Signup.Gateway.Ops;

/// <summary>RabbitMQ's management API, where the setting <c>RabbitMq:ManagementUrl</c> says where it is, with user and password: at any of several nodes, with commas between.</summary>
public sealed class ManagementApi(IHttpClientFactory clients, IConfiguration settings)
{
    public const string Setting = "RabbitMq:ManagementUrl";

    /// <summary>The node that has answered last, or will be asked next.</summary>
    private volatile int _answering;

    /// <summary>The virtual host that is in use.</summary>
    public string VirtualHost { get; } =
        Uri.UnescapeDataString(Settings.BrokerNodes(settings).All[0].AbsolutePath.Trim('/')) is { Length: > 0 } path ? path : "/";

    public bool IsThere => settings[Setting] is { Length: > 0 };

    /// <summary>Those of the virtual host in use, each as the API describes it.</summary>
    public async Task<IReadOnlyList<JsonElement>> QueuesAsync(CancellationToken cancellation) =>
        [.. (await GetAsync($"queues/{Uri.EscapeDataString(VirtualHost)}?disable_stats=false", cancellation)).EnumerateArray()];

    /// <summary>Who takes from a queue, as they call themselves, each once; what nobody knows yet is left out.</summary>
    public async Task<IReadOnlyList<string>> ConsumersAsync(string queue, CancellationToken cancellation)
    {
        var described = await GetAsync($"queues/{Uri.EscapeDataString(VirtualHost)}/{queue}", cancellation);
        var found = await Task.WhenAll(ConnectionsOf(described).Select(name => GetAsync($"connections/{Uri.EscapeDataString(name)}", cancellation)));
        return [.. found.Select(c => (c.TryGetProperty("user_provided_name", out var own) ? own.GetString() : null) ?? c.GetProperty("name").GetString()!).Distinct().Order()];
    }

    /// <summary>The connections of those who take from a queue. One that has only just begun has nothing where they are named, <c>[]</c>, as RabbitMQ writes an object without members.</summary>
    /// <param name="queue">As the API describes it.</param>
    public static IReadOnlyList<string> ConnectionsOf(JsonElement queue) => !queue.TryGetProperty("consumer_details", out var consumers) ? [] :
        [.. consumers.EnumerateArray().Select(c => c.GetProperty("channel_details")).Where(c => c.ValueKind == JsonValueKind.Object).Select(c => c.GetProperty("connection_name").GetString()!).Distinct()];

    /// <summary>What a call throws that was not answered as it should be.</summary>
    public static bool IsTrouble(Exception e, CancellationToken cancellation) =>
        e is HttpRequestException or JsonException or KeyNotFoundException or FormatException || e is TaskCanceledException && !cancellation.IsCancellationRequested;

    private async Task<JsonElement> GetAsync(string path, CancellationToken cancellation)
    {
        var nodes = Hosts.Of(settings[Setting]!);
        for (var i = 0; ; i++)
        {
            try
            {
                return await GetAsync(nodes[_answering % nodes.Count], path, cancellation);
            }
            catch (Exception e) when (i < nodes.Count - 1 && IsTrouble(e, cancellation))
            {
                _answering = (_answering + 1) % nodes.Count;
            }
        }
    }

    private async Task<JsonElement> GetAsync(Uri uri, string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{uri.Scheme}://{uri.Authority}/api/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(uri.UserInfo))));
        using var answer = await clients.CreateClient(SystemState.Client).SendAsync(request, cancellation);
        answer.EnsureSuccessStatusCode();
        return (await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellation), cancellationToken: cancellation)).RootElement;
    }
}
