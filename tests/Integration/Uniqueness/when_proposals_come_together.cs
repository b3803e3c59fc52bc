using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Signup.Messages.Uniqueness;
using static Signup.Tests.Integration.Uniqueness.UniquenessPair;

namespace Signup.Tests.Integration.Uniqueness;

/// <summary>Two instances of Uniqueness, where addresses and user names are unique.</summary>
public sealed class when_proposals_come_together : IAsyncLifetime
{
    private SignupSystem _system = null!;
    private HttpClient[] _instances = [];

    public async ValueTask InitializeAsync()
    {
        var file = Path.Combine(Path.GetTempPath(), $"uniqueness-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(file, """
            {
              "constraints": { "email": { "normalize": "email" }, "username": { "normalize": "casefold" } },
              "events": {
                "AccountCreated": { "email": { "create": "email" }, "username": { "create": "username" } },
                "EmailChangeRequested": { "email": { "reserve": { "value": "newEmail", "until": "expiresAt" } } },
                "EmailChanged": { "email": { "update": { "from": "oldEmail", "to": "newEmail" } } },
                "AccountDeleted": { "email": { "delete": "email" }, "username": { "delete": "*" } }
              }
            }
            """);
        _system = await SignupSystem.StartAsync("together", new Dictionary<string, string> { ["Uniqueness__File"] = file }, "Uniqueness");
        var second = _system.Add("Uniqueness");
        await second.StartAsync();
        _instances = [_system.Client("Uniqueness"), new() { BaseAddress = new(second.Url), DefaultRequestHeaders = { { "X-Api-Key", _system.ApiKey } } }];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances) instance.Dispose();
        await _system.DisposeAsync();
    }

    [Fact]
    public async Task whatever_they_do_they_share_transactions()
    {
        var there = Enumerable.Range(0, 20).Select(_ => (Stream: Guid.NewGuid(), Email: NewEmail())).ToList();
        Assert.All(await ProposeAsync(0, there.Select(a => Creating(a.Stream, a.Stream.ToString(), a.Email))), IsAccepted);

        var asked = Enumerable.Range(0, 80).Select(_ => Creating(Guid.NewGuid(), $"{Guid.NewGuid()}", NewEmail())).ToList();
        asked.AddRange(asked[..10]); // clicked twice
        asked.AddRange(there[..10].Select(a => Changing(a.Stream, 1, a.Email, NewEmail())));
        asked.AddRange(there[10..].Select(a => Deleting(a.Stream, 1, a.Email)));
        asked.AddRange(there[10..].Select(a => Creating(Guid.NewGuid(), a.Stream.ToString(), a.Email))); // who takes what is given up
        var verdicts = await ProposeAsync(0, asked);

        Assert.All(verdicts, IsAccepted);
        Assert.Equal(verdicts[..10].Select(v => v.Position), verdicts[80..90].Select(v => v.Position));
        // now() in PostgreSQL is when the transaction began.
        await using var transactions = _system.Database.CreateCommand("select count(distinct timestamp) from log.mt_events where seq_id = any($1)");
        transactions.Parameters.AddWithValue(verdicts.Select(v => v.Position).ToArray());
        Assert.InRange((long)(await transactions.ExecuteScalarAsync())!, 1, 15);
    }

    [Fact]
    public async Task a_few_values_in_many_hands_at_two_instances_are_held_as_the_log_says()
    {
        var random = new Random(20261128);
        var counts = new Dictionary<VerdictOutcome, int>();
        for (var round = 0; round < 40; round++) await RoundAsync();
        // How many that are depends on how fast this machine is.
        await Wait.UntilAsync(async () =>
        {
            if (await ReservationsAsync() is { Used: >= 20, TakenOver: >= 20 }) return true;
            await RoundAsync();
            return false;
        }, "some reservations were used, and some taken over");

        Assert.All(new[] { VerdictOutcome.Accepted, VerdictOutcome.NotUnique, VerdictOutcome.VersionConflict }, o => Assert.InRange(counts.GetValueOrDefault(o), 100, int.MaxValue));
        var (exit, output) = await _system.RunAsync("Uniqueness", "verify");
        Assert.True(exit == 0, output);
        // Derived anew, they are the same.
        Assert.Equal(0, (await _system.RunAsync("Uniqueness", "rebuild")).ExitCode);
        (exit, output) = await _system.RunAsync("Uniqueness", "verify");
        Assert.True(exit == 0, output);

        async Task RoundAsync()
        {
            var held = await HeldAsync();
            var answers = await Task.WhenAll(_instances.Select((_, i) => ProposeAsync(i, [.. Enumerable.Range(0, 30).Select(_ => Any(random, held))])));
            foreach (var verdict in answers.SelectMany(a => a)) counts[verdict.Outcome] = counts.GetValueOrDefault(verdict.Outcome) + 1;
        }
    }

    /// <summary>How many were used by the stream's next event, and how many were over before there was one, so that another stream took the value.</summary>
    private async Task<(long Used, long TakenOver)> ReservationsAsync()
    {
        await using var command = _system.Database.CreateCommand("""
            with reserved as (select stream_id, seq_id, data #>> '{newEmail,hash}' as email, timestamp from log.mt_events where type = 'EmailChangeRequested'),
                 taken as (select stream_id, seq_id, coalesce(data #>> '{newEmail,hash}', data #>> '{email,hash}') as email from log.mt_events where type in ('AccountCreated', 'EmailChanged'))
            select count(distinct t.seq_id) filter (where t.stream_id = r.stream_id), count(distinct t.seq_id) filter (where t.stream_id <> r.stream_id) from reserved r join taken t on t.email = r.email and t.seq_id > r.seq_id
            where not exists (select from log.mt_events e where e.stream_id = r.stream_id and e.seq_id > r.seq_id and e.seq_id < t.seq_id)
            """);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    /// <summary>By stream: its version, the address that it holds, and what it has reserved.</summary>
    private async Task<Dictionary<Guid, (long Version, string Email, string? Reserved)>> HeldAsync()
    {
        await using var command = _system.Database.CreateCommand("""
            select s.id, s.version, min(c.value) filter (where c.until is null), min(c.value) filter (where c.until is not null) from log.mt_streams s join uniqueness.claims c on c.stream_id = s.id and c.name = 'email'
            group by s.id having count(*) filter (where c.until is null) > 0
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var held = new Dictionary<Guid, (long, string, string?)>();
        while (await reader.ReadAsync()) held[reader.GetGuid(0)] = (reader.GetInt64(1), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3));
        return held;
    }

    /// <summary>For one of few streams and values, so that they meet; most are what the stream could do, if it were alone.</summary>
    private static JsonObject Any(Random random, Dictionary<Guid, (long Version, string Email, string? Reserved)> held)
    {
        if (held.Count == 0 || random.Next(3) == 0) return Creating(Guid.NewGuid(), Name(), Email());
        var (stream, now) = held.ElementAt(random.Next(held.Count));
        var (version, email) = random.Next(10) == 0 ? (now.Version + 1, Email()) : (now.Version, now.Email);
        if (now.Reserved is { } reserved && random.Next(2) == 0) return Changing(stream, version, email, reserved);
        return random.Next(4) switch
        {
            0 => Deleting(stream, version, email),
            1 or 2 => Reserving(stream, version, Email(), DateTimeOffset.UtcNow.AddMilliseconds(random.Next(30))),
            _ => Changing(stream, version, email, Email()),
        };

        string Name() => $"name{random.Next(20)}";
        string Email() => $"mail{random.Next(20)}@example.org";
    }

    private static JsonObject Creating(Guid stream, string username, string email) =>
        Propose(stream, 0, "AccountCreated", new { username, email, passwordHash = "$x", language = "en", createdAt = DateTimeOffset.UnixEpoch });

    private static JsonObject Reserving(Guid stream, long version, string newEmail, DateTimeOffset until) =>
        Propose(stream, version, "EmailChangeRequested", new { newEmail, expiresAt = until, requestedAt = DateTimeOffset.UnixEpoch });

    private static JsonObject Changing(Guid stream, long version, string oldEmail, string newEmail) =>
        Propose(stream, version, "EmailChanged", new { oldEmail, newEmail, changedAt = DateTimeOffset.UnixEpoch });

    private static JsonObject Deleting(Guid stream, long version, string email) => Propose(stream, version, "AccountDeleted", new { email, deletedAt = DateTimeOffset.UnixEpoch });

    private static JsonObject Propose(Guid stream, long version, string type, object data) => new()
    {
        ["proposal"] = JsonSerializer.SerializeToNode(new ProposeEvent(stream, Guid.NewGuid(), version, type, JsonSerializer.SerializeToElement(data))),
        ["cause"] = new JsonObject { ["correlationId"] = $"{Guid.NewGuid()}" },
    };

    private static void IsAccepted(Verdict verdict) => Assert.Equal(VerdictOutcome.Accepted, verdict.Outcome);

    private async Task<List<Verdict>> ProposeAsync(int instance, IEnumerable<JsonObject> proposals)
    {
        using var answer = await _instances[instance].PostAsJsonAsync("/proposals", proposals.Select(p => p.DeepClone()));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<List<Verdict>>())!;
    }
}
