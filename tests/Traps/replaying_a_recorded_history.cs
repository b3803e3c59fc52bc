using System.Text.Json.Nodes;

namespace Signup.Tests.Traps;

/// <summary>What six people did, as <c>./run Query export</c> has written it, in a system that has seen nothing else.</summary>
public sealed class SixPeople : IAsyncLifetime
{
    private static readonly string Histories = Path.Combine(Parts.Root, "tests", "Traps", "histories");

    public SignupSystem System { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        System = await SignupSystem.StartAsync("history", null, "Query");
        var (exitCode, output) = await System.RunAsync("Query", "import", "--from", Path.Combine(Histories, "six_people.jsonl"));
        Assert.True(exitCode == 0, output);
    }

    public ValueTask DisposeAsync() => System.DisposeAsync();

    /// <summary>What the read model said on the day of the recording.</summary>
    public static async Task<JsonArray> ExpectedAsync() => JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Histories, "six_people.accounts.json")))!.AsArray();
}

public sealed class replaying_a_recorded_history(SixPeople people) : IClassFixture<SixPeople>
{
    [Fact]
    public async Task gives_the_read_model_of_the_day_it_was_recorded()
    {
        using var query = people.System.Client("Query");
        var expected = await SixPeople.ExpectedAsync();
        var last = expected.Max(PositionOf);
        var replayed = await Wait.ForAsync(async () => JsonNode.Parse(await query.GetStringAsync("accounts"))!.AsArray() is var all && all.Any(a => PositionOf(a) == last) ? all : null, "the last event is taken in");

        Assert.All(expected.Zip(replayed), pair => Assert.Equal(pair.First!.ToJsonString(), pair.Second!.ToJsonString()));
        Assert.Equal((6, 6), (expected.Count, replayed.Count));

        static long PositionOf(JsonNode? account) => (long)account!["position"]!;
    }

    [Fact]
    public async Task names_the_event_since_when_something_is_wrong_which_a_row_that_is_updated_cannot()
    {
        await using var database = await Stage.NaiveDatabaseAsync("create table accounts (name text, status text, mail text); insert into accounts values ('Bob', 'pending', 'sent'), ('Eve', 'pending', 'sent')");
        await using var connection = await database.OpenConnectionAsync();

        Story.Tell("Bob follows the link in his mail; later his mailbox is gone, and the mail comes back. Eve's mail comes back, and her account becomes active all the same: a bug.");
        await connection.ExecuteAsync("update accounts set status = 'active' where name = 'Bob'; update accounts set mail = 'bounced' where name = 'Bob'");
        await connection.ExecuteAsync("update accounts set mail = 'bounced' where name = 'Eve'; update accounts set status = 'active' where name = 'Eve'");
        Assert.Single((await connection.QueryAsync<(string, string)>("select status, mail from accounts")).Distinct());
        Story.Tell("Their rows are the same. Whoever looks for the bug does not learn from them that there is one.");

        var (exitCode, output) = await people.System.RunAsync("Query", "check", "--rule", "status = active implies mail = sent");
        Assert.Equal(1, exitCode);
        Assert.Contains("First broken by MailBounced, version 4 of account 01a22f9e-3336-70c3-a746-0a24f4501d52", output, StringComparison.Ordinal);
        Assert.Contains("mail.state: sent -> bounced", output, StringComparison.Ordinal);
        Story.Tell("Here the event is named that broke the rule, with all that it changed: a mailbox that is gone, after the account was active. No bug.");
    }
}
