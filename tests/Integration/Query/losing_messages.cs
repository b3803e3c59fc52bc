using System.Net.Http.Json;
using System.Text.Json;
using RabbitMQ.Client;
using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Tests.Fixture;

namespace Signup.Tests.Integration.Query;

/// <summary>A message is only a hint to look at the log: the read model has what the log has, whatever becomes of messages.</summary>
public sealed class losing_messages
{
    [Fact]
    public async Task that_nobody_hears_loses_no_data()
    {
        await using var system = await SignupSystem.StartAsync("unheard", null, "Uniqueness", "Query");
        await system["Query"].KillAsync();
        var id = await CreateAsync(system, "unheard@example.org");
        await system["Query"].StartAsync();
        await ListedAsync(system, "unheard@example.org", id);
    }

    [Fact]
    public async Task that_would_have_come_costs_less_than_a_minute()
    {
        await using var system = await SignupSystem.StartAsync("unbound", null, "Uniqueness", "Query");
        await using var channel = await system.Broker.OpenChannelAsync(Wait.Token);
        await channel.ExchangeDeleteAsync(Topology.ExchangeOf(typeof(AccountCreated)));
        var id = await CreateAsync(system, "unbound@example.org");
        await ListedAsync(system, "unbound@example.org", id);
    }

    private static async Task<Guid> CreateAsync(SignupSystem system, string email)
    {
        var id = Guid.NewGuid();
        using var uniqueness = system.Client("Uniqueness");
        var response = await uniqueness.PostAsJsonAsync("/event", new { streamId = id, expectedVersion = 0, type = "AccountCreated", data = LogDatabase.Created(email) });
        response.EnsureSuccessStatusCode();
        return id;
    }

    private static async Task ListedAsync(SignupSystem system, string email, Guid id)
    {
        using var query = system.Client("Query");
        // The list comes from the read model alone.
        await Wait.UntilAsync(async () => (await query.GetFromJsonAsync<JsonElement>($"/accounts?email={email}")).EnumerateArray().Any(a => a.GetProperty("id").GetGuid() == id),
            "the account is in the read model", TimeSpan.FromSeconds(60));
    }
}
