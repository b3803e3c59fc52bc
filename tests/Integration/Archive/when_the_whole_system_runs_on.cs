using System.Net.Http.Json;
using System.Text.Json;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using Signup.Tests.Fixture;
using static Signup.Tests.Integration.Uniqueness.UniquenessPair;

namespace Signup.Tests.Integration.Archive;

/// <summary>Real processes: Archive copies by itself, an operator drops, and everybody else goes on as before.</summary>
public sealed class when_the_whole_system_runs_on : IAsyncLifetime
{
    private readonly string _directory = Path.Combine(Parts.State, "systems", $"archive_{Guid.NewGuid():N}");
    private SignupSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await SignupSystem.StartAsync("archive", new Dictionary<string, string>
    {
        ["Archive__Directory"] = _directory,
        ["Archive__EventsPerSegment"] = "3",
        ["Archive__MinimumAge"] = "0",
    }, "Uniqueness", "Accounts", "Query");

    public async ValueTask DisposeAsync()
    {
        await _system.DisposeAsync();
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task claims_documents_and_decisions_are_the_same_after_events_were_dropped()
    {
        var (goneEmail, keptEmail) = (NewEmail(), NewEmail());
        var (gone, kept) = (NewSignUp(goneEmail), NewSignUp(keptEmail));
        var accepted = await SignUpAsync(gone);
        Assert.Equal(VerdictOutcome.Accepted, (await SignUpAsync(kept))!.Outcome);
        using var uniqueness = _system.Client("Uniqueness");
        await DeleteAsync(gone.AccountId, goneEmail);
        // Further accounts that came and went, so that there are full segments.
        for (var n = 0; n < 5; n++)
        {
            var (id, email) = (Guid.NewGuid(), NewEmail());
            Assert.True((await uniqueness.PostAsJsonAsync("/event", Created(id, email))).IsSuccessStatusCode);
            await DeleteAsync(id, email);
        }
        using var query = _system.Client("Query");
        await QueryIsUpToDateAsync();
        var before = await AskAsync();

        var archive = _system.Add("Archive");
        await archive.StartAsync();
        await Wait.UntilAsync(async () => await ScalarAsync("select count(*) from log.archived_segment") == 4, "Archive has copied all full segments");
        var (exitCode, output) = await _system.RunAsync("Archive", "drop", "--until", ArchivedLog.Later);
        Assert.True(exitCode == 0, output);
        Assert.Equal(0, await ScalarAsync($"select count(*) from log.mt_events where stream_id = '{gone.AccountId}'"));

        Assert.Equal(before, await AskAsync());
        // The same sign-up again gets its first answer, from the database alone.
        Assert.Equal(accepted, await SignUpAsync(gone));
        Assert.Equal(ActivationOutcome.Expired, (await ActivateAsync(gone.AccountId))!.Outcome);
        Assert.Equal(ActivationOutcome.Active, (await ActivateAsync(kept.AccountId))!.Outcome);
        Assert.Equal(VerdictOutcome.NotUnique, (await SignUpAsync(NewSignUp(keptEmail)))!.Outcome);
        Assert.Equal(VerdictOutcome.Accepted, (await SignUpAsync(NewSignUp(goneEmail)))!.Outcome);
        // Claims and read model derived anew, across the seam.
        Assert.Equal(0, (await _system.RunAsync("Uniqueness", "rebuild")).ExitCode);
        Assert.Equal(0, (await _system.RunAsync("Uniqueness", "verify")).ExitCode);
        Assert.Equal(0, (await _system.RunAsync("Query", "rebuild")).ExitCode);
        await QueryIsUpToDateAsync();
        Assert.Equal(0, (await _system.RunAsync("Query", "audit")).ExitCode);

        async Task<List<string>> AskAsync() =>
        [
            (await _system.RunAsync("Uniqueness", "verify")).ToString(),
            (await _system.RunAsync("Query", "audit")).ExitCode.ToString(System.Globalization.CultureInfo.InvariantCulture),
            await LogAsync(query),
            await query.GetStringAsync($"/accounts/{gone.AccountId}/events"),
            await query.GetStringAsync($"/accounts/{gone.AccountId}?version=1"),
            await query.GetStringAsync($"/accounts/{kept.AccountId}/events"),
        ];

        async Task DeleteAsync(Guid id, string email)
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, "/event") { Content = JsonContent.Create(Event(id, 1, "AccountDeleted", new { email, deletedAt = DateTimeOffset.UnixEpoch })) };
            Assert.True((await uniqueness.SendAsync(request)).IsSuccessStatusCode);
        }
    }

    private static async Task<string> LogAsync(HttpClient query)
    {
        var events = new List<string>();
        for (var after = 0L; ;)
        {
            var page = (await query.GetFromJsonAsync<JsonElement>($"/log?after={after}")).EnumerateArray().ToList();
            if (page.Count == 0) return string.Join('\n', events);
            events.AddRange(page.Select(e => e.ToString()));
            after = page[^1].GetProperty("position").GetInt64();
        }
    }

    private Task QueryIsUpToDateAsync() => Wait.UntilAsync(
        async () => await ScalarAsync("select (select position from query.generation where state = 'live') - (select max(seq_id) from log.mt_events)") == 0, "Query is at the end of the log");

    private Task<Verdict?> SignUpAsync(SignUp command) =>
        _system.Commands.AskAsync<Verdict>("accounts", command, Guid.NewGuid(), TimeSpan.FromMinutes(2), CancellationToken.None);

    private Task<ActivationVerdict?> ActivateAsync(Guid id) =>
        _system.Commands.AskAsync<ActivationVerdict>("accounts", new ActivateAccount(id, DateTimeOffset.UtcNow), Guid.NewGuid(), TimeSpan.FromMinutes(2), CancellationToken.None);

    private async Task<long> ScalarAsync(string sql)
    {
        await using var command = _system.Database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
