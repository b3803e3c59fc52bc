using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;

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

    [Fact]
    public async Task that_do_arrive_end_its_rest()
    {
        await using var system = await SignupSystem.StartAsync("awoken", null, "Uniqueness", "Query");
        var took = new List<TimeSpan>();
        for (var n = 0; n < 9; n++)
        {
            var id = await CreateAsync(system, $"{n}@example.org");
            var watch = Stopwatch.StartNew();
            await ListedAsync(system, $"{n}@example.org", id);
            took.Add(watch.Elapsed);
        }
        // It has just looked, and found something, when the next comes: unawoken it would rest for half a second, each time.
        Assert.InRange(took.Order().ElementAt(took.Count / 2), TimeSpan.Zero, TimeSpan.FromMilliseconds(350));
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
