using System.Text.Json.Nodes;

namespace Signup.Tests.Integration.SigningUp;

/// <summary>Before a process is ready it does once, for nobody, what its first sign-up would else wait for.</summary>
public sealed class when_a_process_starts : IAsyncDisposable
{
    private SignupSystem? _system;

    [Fact]
    public async Task it_has_rehearsed_and_nobody_hears_of_it()
    {
        _system = await SignupSystem.StartAsync("rehearsal", new Dictionary<string, string> { ["ServiceControl__Enabled"] = "true", ["ServiceControl__AuditQueue"] = "audit" }, "Uniqueness");
        await using var channel = await _system.Broker.OpenChannelAsync(CancellationToken.None);
        await channel.ExchangeDeclareAsync("audit", "fanout", durable: true, autoDelete: false);
        await channel.QueueDeclareAsync("audit", durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync("audit", "audit", routingKey: "");
        var (accounts, gateway) = (_system.Add("Accounts"), _system.Add("Gateway"));
        await accounts.StartAsync();
        await gateway.StartAsync();

        // Accounts: the command that comes, and the call that it makes.
        foreach (var (process, times) in new[] { (_system["Uniqueness"], 1), (accounts, 2), (gateway, 1) })
            await Wait.UntilAsync(() => Task.FromResult(process.LogLines("Rehearsed in").Length == times), $"{process.Name} has rehearsed {times} times");

        await using var traces = _system.Database.CreateCommand("select (select count(*) from log.mt_events) + (select count(*) from uniqueness.claims) + (select count(*) from uniqueness.rejections)");
        Assert.Equal(0L, await traces.ExecuteScalarAsync());
        Assert.Null(await channel.BasicGetAsync("audit", autoAck: true));
        using var management = _system.Parts.ManagementClient();
        async Task<string[]> NamesAsync(string what) =>
            [.. JsonNode.Parse(await management.GetStringAsync($"api/{what}/{_system.Parts.VirtualHost}"))!.AsArray().Select(o => (string)o!["name"]!).Where(n => n.StartsWith("rehearsal", StringComparison.Ordinal))];
        await Wait.UntilAsync(async () => (await NamesAsync("exchanges")).Length + (await NamesAsync("queues")).Length == 0, "no exchange or queue is left of it");
    }

    [Fact]
    public async Task it_starts_although_what_it_would_rehearse_with_is_away()
    {
        _system = await SignupSystem.StartAsync("unrehearsed", new Dictionary<string, string> { ["Uniqueness__Url"] = "http://127.0.0.1:1" }, "Accounts");

        await Wait.UntilAsync(() => Task.FromResult(_system["Accounts"].LogLines("Not rehearsed").Length == 1), "it says so");
    }

    public async ValueTask DisposeAsync()
    {
        if (_system is not null) await _system.DisposeAsync();
    }
}
