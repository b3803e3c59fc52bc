using System.Net.Http.Json;
using System.Text.Json.Nodes;
using static Signup.Tests.Integration.Uniqueness.UniquenessPair;

namespace Signup.Tests.Integration.Uniqueness;

public sealed class when_a_history_is_imported : IAsyncLifetime
{
    private SignupSystem _system = null!;
    private HttpClient _uniqueness = null!;

    public async ValueTask InitializeAsync()
    {
        _system = await SignupSystem.StartAsync("imported", null, "Uniqueness");
        _uniqueness = _system.Client("Uniqueness");
    }

    public async ValueTask DisposeAsync()
    {
        _uniqueness.Dispose();
        await _system.DisposeAsync();
    }

    [Fact]
    public async Task nobody_claims_anything_from_its_first_event_to_the_end_of_the_rebuild()
    {
        var (imported, other) = (NewEmail(), NewEmail());
        var file = Path.Combine(_system.Parts.Directory, "history.jsonl");
        await File.WriteAllTextAsync(file, new JsonObject
        {
            ["position"] = 7,
            ["streamId"] = $"{Guid.NewGuid()}",
            ["version"] = 1,
            ["eventId"] = $"{Guid.NewGuid()}",
            ["type"] = "AccountCreated",
            ["at"] = "2026-11-23T10:00:00Z",
            ["data"] = new JsonObject { ["username"] = "ada", ["email"] = imported, ["passwordHash"] = "$x", ["language"] = "en", ["createdAt"] = "2026-11-23T10:00:00Z" },
        }.ToJsonString());

        // It stands before its first event, for as long as somebody else could be writing.
        await using var writer = await _system.Database.OpenConnectionAsync();
        await using var transaction = await writer.BeginTransactionAsync();
        await using (var hold = new Npgsql.NpgsqlCommand("lock table log.mt_streams in row exclusive mode", writer)) await hold.ExecuteNonQueryAsync();
        var import = _system.RunAsync("Query", "import", "--from", file);
        await using var waiting = new Npgsql.NpgsqlCommand("select exists (select from pg_locks where not granted and relation = 'log.mt_streams'::regclass)", writer);
        await Wait.UntilAsync(async () => (bool)(await waiting.ExecuteScalarAsync())!, "the import waits");
        Assert.Equal(503, await ClaimAsync(imported));
        await transaction.RollbackAsync();
        var (exit, output) = await import;
        Assert.True(exit == 0, output);
        Assert.Contains("./run Uniqueness rebuild", output, StringComparison.Ordinal);

        Assert.Equal(503, await ClaimAsync(imported));
        var checks = (await _uniqueness.GetFromJsonAsync<JsonObject>("/health/ready"))!["checks"]!["claims"]!;
        Assert.Equal("Degraded", (string?)checks["status"]);
        Assert.Contains("./run Uniqueness rebuild", (string?)checks["description"], StringComparison.Ordinal);

        Assert.Equal(0, (await _system.RunAsync("Uniqueness", "rebuild")).ExitCode);
        Assert.Equal(409, await ClaimAsync(imported));
        Assert.Equal(200, await ClaimAsync(other));
        Assert.Equal(0, (await _system.RunAsync("Uniqueness", "verify")).ExitCode);
    }

    private async Task<int> ClaimAsync(string email)
    {
        using var answer = await _uniqueness.PostAsJsonAsync("/event", Created(Guid.NewGuid(), email));
        return (int)answer.StatusCode;
    }
}
