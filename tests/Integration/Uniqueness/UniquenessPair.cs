using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Tests.Integration.Uniqueness;

/// <summary>Two instances of Uniqueness, and one of Accounts.</summary>
public sealed class UniquenessPair : IAsyncLifetime
{
    public SignupSystem System { get; private set; } = null!;
    public SignupProcess Second { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        System = await SignupSystem.StartAsync("unique", null, "Uniqueness", "Accounts");
        Second = System.Add("Uniqueness");
        await Second.StartAsync();
    }

    public ValueTask DisposeAsync() => System.DisposeAsync();

    public Task<Verdict?> SignUpAsync(SignUp command) =>
        System.Commands.AskAsync<Verdict>("accounts", command, command.AccountId, TimeSpan.FromSeconds(20), CancellationToken.None);

    public Task<Verdict?> ProposeAsync(ProposeEvent proposal) =>
        System.Commands.AskAsync<Verdict>("uniqueness", proposal, Guid.NewGuid(), TimeSpan.FromSeconds(20), CancellationToken.None);

    public async Task<(int Status, JsonObject Body)> HttpAsync(string verb, object body, string? url = null, string? key = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(verb), $"{url ?? System.UniquenessUrl}/event") { Content = JsonContent.Create(body) };
        request.Headers.Add("X-Api-Key", key ?? System.ApiKey);
        using var response = await http.SendAsync(request);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
    }

    /// <summary>What became of a proposal, asked at the second instance.</summary>
    public async Task<(int Status, JsonObject Verdict)> FindAsync(ProposeEvent proposal)
    {
        using var http = new HttpClient { DefaultRequestHeaders = { { "X-Api-Key", System.ApiKey } } };
        using var response = await http.GetAsync($"{Second.Url}/event/{proposal.StreamId}/{proposal.EventId}");
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
    }

    /// <summary>Who holds a value, as an instance says it: a stream, nobody, or the status of another answer.</summary>
    public async Task<string> HolderAsync(string constraint, string value)
    {
        using var http = System.Client("Uniqueness");
        using var response = await http.GetAsync($"holders/{constraint}?value={Uri.EscapeDataString(value)}");
        return response.IsSuccessStatusCode ? (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["streamId"] ?? "nobody" : $"{(int)response.StatusCode}";
    }

    public static string NewEmail() => $"{Guid.NewGuid():N}@example.org";

    public static SignUp NewSignUp(string? email = null) =>
        new(Guid.CreateVersion7(), "ada", email ?? NewEmail(), "$argon2id$test", "en", DateTimeOffset.UtcNow);

    public static object Created(Guid streamId, string email) => new
    {
        streamId,
        expectedVersion = 0,
        type = "AccountCreated",
        data = new { username = "ada", email, passwordHash = "$argon2id$test", language = "en", createdAt = "2026-11-23T10:00:00Z" },
    };

    public static object Event(Guid streamId, int expectedVersion, string type, object data) => new { streamId, expectedVersion, type, data };

    public static ProposeEvent Proposal(Guid streamId, string email) => new(streamId, Guid.NewGuid(), 0, "AccountCreated", JsonSerializer.SerializeToElement(
        new { username = "ada", email, passwordHash = "$x", language = "en", createdAt = DateTimeOffset.UnixEpoch }));

    public async Task ExecuteAsync(string sql)
    {
        await using var command = System.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Which streams have an AccountCreated with this address, as typed.</summary>
    public async Task<IReadOnlyList<Guid>> AccountsWithAsync(string email) => [.. (await System.Database.EventsAsync<Signup.EventLog.Accounts.AccountCreated>()).Where(e => e.Happened.Email == email).Select(e => e.Event.StreamId)];
}
