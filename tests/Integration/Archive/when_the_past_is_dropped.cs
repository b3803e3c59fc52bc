using Signup.Query.Questions;
using Signup.Tests.Integration.Gateway;

namespace Signup.Tests.Integration.Archive;

/// <summary>The whole system, of whose past nothing is in the log's table any more.</summary>
public sealed class when_the_past_is_dropped() : SystemWithGateway("past"), IAsyncDisposable
{
    private static readonly (string, string)[] Key = [("Idempotency-Key", "6f1c0d52-3f0e-4a55-9d07-9f1d5a1f0a11")];
    private ArchivedLog _archive = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _archive = ArchivedLog.Of(System);
    }

    public new async ValueTask DisposeAsync()
    {
        await _archive.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task nobody_notices()
    {
        var (email, id, session) = await ActiveAsync();
        var (left, _, leaving) = await ActiveAsync();
        Assert.Equal(204, (await DeleteAsync(leaving)).Status);
        var (_, forgotten, forgetting) = await ActiveAsync();
        Assert.Equal(204, (await DeleteAsync(forgetting, forget: "true")).Status);
        var (waiting, waitingId, _) = await SignUpAsync();
        var posted = GatewayHttp.Body(GatewayHttp.NewEmail());
        var signedUp = await Gateway.PostJsonAsync("/users", posted, Key);
        await System.ActivationMailSentAsync(Guid.Parse((string)signedUp.Json["id"]!));
        await System.ActivationMailSentAsync(waitingId);
        var catalogue = new Catalogue(_archive.Database, _archive.Log(), Path.Combine(AppContext.BaseDirectory, "Questions"));
        // Nothing comes up by itself while it is looked at.
        await System["Mail"].KillAsync();
        var (before, answers) = (await ExportAsync(), await AskAsync());

        await _archive.ArchiveAsync(_archive.Archiver(1));
        await _archive.DropAsync();

        var dropped = (await _archive.RangesAsync())[^1].Last;
        Assert.Equal(0L, await _archive.ScalarAsync<long>($"select count(*) from log.mt_events where seq_id <= {dropped}"));
        // Read anew by processes that have read nothing yet, and by those that are at work.
        Assert.Equal(before, (await ExportAsync())[..before.Count]);
        Assert.Equal(answers, await AskAsync());
        foreach (var (endpoint, command) in new[] { ("Query", "audit"), ("Query", "rebuild"), ("Query", "audit"), ("Uniqueness", "verify"), ("Uniqueness", "rebuild"), ("Uniqueness", "verify"), ("Archive", "verify") })
        {
            var (exit, output) = await System.RunAsync(endpoint, command);
            Assert.True(exit == 0, $"{endpoint} {command}: {output}");
        }
        var (found, told) = await System.RunAsync("Query", "check", "--rule", "status = active implies mail = sent");
        Assert.True(found is 0 or 1 && !told.Contains("failed", StringComparison.Ordinal), told);

        Assert.Equal(200, (await SignInAsync(email)).Status);
        Assert.Equal(["AccountCreated", "AccountActivated"], await EventsAsync(id));
        Assert.Equal(["AccountCreated", "AccountActivated", "AccountDeleted"], await EventsAsync(forgotten));
        Assert.Equal(409, (await Gateway.PostJsonAsync("/users", GatewayHttp.Body(email.ToUpperInvariant()))).Status);
        Assert.Equal(201, (await Gateway.PostJsonAsync("/users", GatewayHttp.Body(left))).Status);
        Assert.Equal((201, (string?)signedUp.Json["id"]), await Gateway.PostJsonAsync("/users", posted, Key) is var again ? (again.Status, (string?)again.Json["id"]) : default);
        // What comes now comes behind.
        await System["Mail"].StartAsync();
        await ActivateAsync(waitingId);
        Assert.Equal(200, (await SignInAsync(waiting)).Status);
        Assert.Equal(204, (await DeleteAsync(session)).Status);
        Assert.Equal(["AccountCreated", "AccountActivated", "AccountDeleted"], await EventsAsync(id));
        Assert.Equal((0, true), await System.RunAsync("Uniqueness", "verify") is var (code, text) ? (code, text.Contains("No problem", StringComparison.OrdinalIgnoreCase)) : default);

        async Task<List<string>> AskAsync()
        {
            var answered = new List<string>();
            foreach (var question in catalogue.All())
                answered.AddRange((await catalogue.AskAsync(question, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), Wait.Token)).Rows.Select(r => $"{question.Name}: {string.Join('|', r)}"));
            return answered;
        }
    }

    [Fact]
    public async Task and_the_archive_is_away_whoever_needs_it_is_told_to_come_back_and_all_others_go_on()
    {
        var (email, _, _) = await ActiveAsync();
        await _archive.ArchiveAsync(_archive.Archiver(1));
        await _archive.DropAsync();
        Directory.Move(_archive.Target.Place, _archive.Target.Place + "-away");
        try
        {
            var answer = await SignInAsync(email);
            Assert.Equal(503, answer.Status);
            var (other, id, _) = await SignUpAsync();
            await ActivateAsync(id);
            Assert.Equal(200, (await SignInAsync(other)).Status);
            Assert.NotEmpty(System["Accounts"].LogLines(".parquet is missing, which holds position"));
        }
        finally
        {
            Directory.Move(_archive.Target.Place + "-away", _archive.Target.Place);
        }
        Assert.Equal(200, (await SignInAsync(email)).Status);
    }

    /// <summary>But for what dropping itself appends.</summary>
    private async Task<List<string>> ExportAsync()
    {
        var (exit, output) = await System.RunAsync("Query", "export", "--secrets");
        Assert.Equal(0, exit);
        return [.. output.Split('\n').Where(l => l.StartsWith('{') && !l.Contains("EventsDropped", StringComparison.Ordinal))];
    }
}
