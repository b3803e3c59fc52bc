using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Tests.Integration.Operations;

/// <summary>Its properties make RabbitMQ's client give up the connection before anybody sees them.</summary>
public sealed class when_a_message_cannot_even_be_read : IAsyncLifetime
{
    private SignupSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await SignupSystem.StartAsync("unreadable", null, "Accounts", "Uniqueness");

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task its_endpoint_is_not_ready_and_says_why_until_an_operator_takes_it_away()
    {
        using var accounts = _system.Client("Accounts");
        // A confirming channel would make properties of its own of them.
        await using (var channel = await _system.Broker.OpenChannelAsync(Wait.Token))
            await channel.BasicPublishAsync("", Topology.Accounts, mandatory: true, new Unreadable(), new byte[] { 1 }, Wait.Token);
        var waiting = SignUpAsync();
        await Wait.UntilAsync(async () => await HealthAsync() is (HttpStatusCode.ServiceUnavailable, { } why) && why.Contains("decimal", StringComparison.Ordinal), "it says why");

        // As the runbook says.
        using var management = _system.Parts.ManagementClient();
        await Wait.UntilAsync(async () =>
        {
            using var taken = await management.PostAsJsonAsync($"api/queues/{_system.Parts.VirtualHost}/{Topology.Accounts}/get", new { count = 1, ackmode = "reject_requeue_false", encoding = "base64" });
            return JsonNode.Parse(await taken.Content.ReadAsStringAsync()) is JsonArray { Count: 1 };
        }, "it is taken away");

        Assert.Equal(VerdictOutcome.Accepted, await waiting);
        await Wait.UntilAsync(async () => (await HealthAsync()).Status == HttpStatusCode.OK, "it is ready again", TimeSpan.FromSeconds(10));

        async Task<(HttpStatusCode Status, string? Why)> HealthAsync()
        {
            using var response = await accounts.GetAsync("health/ready", Wait.Token);
            return (response.StatusCode, (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Wait.Token))!["checks"]!["messages"]!["description"]);
        }
    }

    private async Task<VerdictOutcome?> SignUpAsync()
    {
        var id = Guid.CreateVersion7();
        return (await _system.Commands.AskAsync<Verdict>(Topology.Accounts, new SignUp(id, "Ada", $"{id}@example.org", "$argon2id$v=19$", "en", DateTimeOffset.UtcNow), id, Wait.Deadline, Wait.Token))?.Outcome;
    }
}
