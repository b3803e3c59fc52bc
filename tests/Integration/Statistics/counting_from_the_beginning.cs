using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Following;
using Signup.Statistics;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Statistics;

/// <summary>A consumer that comes late takes in the history, then what happens; counts show whatever is left out or taken twice.</summary>
public sealed class counting_from_the_beginning
{
    private static readonly DateTimeOffset Later = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task counts_history_and_present_once_however_many_processes_do_it_and_die()
    {
        await using var log = await LogDatabase.CreateAsync("statistics");
        for (var n = 0; n < 50; n++) await log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"old{n}@example.org"), new AccountActivated(Later));
        var projection = new DailyStatistics(log.Database);
        await projection.EnsureAsync(Wait.Token);

        // Dies between its counting and its commit.
        await using (var connection = await log.Database.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            await projection.ApplyAsync(connection, (await new LogReader(log.Database).FollowAsync(connection, projection.Checkpoint, 10, Wait.Token))!, Wait.Token);
        }

        var followers = await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            var follower = new LogFollower<DailyStatistics>(projection, log.Database, new LogReader(log.Database), new WakeUp(), NullLogger<LogFollower<DailyStatistics>>.Instance);
            await follower.StartAsync(CancellationToken.None);
            return follower;
        }));
        await Task.WhenAll(Enumerable.Range(0, 60).Select(n => log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"new{n}@example.org"))));
        await Wait.UntilAsync(async () => (await followers[0].MeasureAsync(Wait.Token)).Events == 0, "all is counted");
        foreach (var follower in followers) follower.Dispose();

        Assert.Equal("AccountActivated 50, AccountCreated 110", await log.ScalarAsync<string>("""
            select string_agg(type || ' ' || count, ', ' order by type) from (select type, sum(count) as count from statistics.day group by type) d
            """));
    }

    [Fact]
    public async Task as_a_process_subscribes_and_is_told_of_events_and_reads_them_where_it_is_told_to()
    {
        await using var system = await SignupSystem.StartAsync("statistics", null, "Uniqueness");
        using var uniqueness = system.Client("Uniqueness");
        await CreateAsync("before@example.org");
        var process = system.Add("Statistics");
        process.Set("ConnectionStrings__PostgresReplica", system.Parts.Postgres);
        await process.StartAsync();
        var (_, refused) = await system.RunAsync("Statistics", "partitions", "--count", "65");
        Assert.Contains("--count must be a number from 1 to 64.", refused, StringComparison.Ordinal);
        var (exit, output) = await system.RunAsync("Statistics", "partitions", "--count", "2");
        Assert.Equal((0, true, true), (exit, Regex.IsMatch(output, @"(?m)^\s*0000-7fff\s+\d+\s*$"), Regex.IsMatch(output, @"(?m)^\s*8000-ffff\s+\d+\s*$")));
        await CreateAsync("after@example.org");

        using var statistics = system.Client("Statistics");
        await Wait.UntilAsync(async () => (await statistics.GetFromJsonAsync<JsonElement>("/days")).EnumerateArray().Sum(d => d.GetProperty("counts").GetProperty("AccountCreated").GetInt32()) == 2, "both are counted");
        var ready = await statistics.GetFromJsonAsync<JsonElement>("/health/ready");
        Assert.Equal(0, ready.GetProperty("checks").GetProperty("daily-statistics").GetProperty("data").GetProperty("standbyBehindEvents").GetInt64());
        using var management = system.Parts.ManagementClient();
        var bindings = await management.GetFromJsonAsync<JsonElement>($"api/exchanges/{system.Parts.VirtualHost}/Signup.Messages.Accounts:AccountCreated/bindings/source");
        Assert.Contains(bindings.EnumerateArray(), b => b.GetProperty("destination").GetString()!.StartsWith("statistics.news.", StringComparison.Ordinal));

        async Task CreateAsync(string email) => (await uniqueness.PostAsJsonAsync("/event",
            new { streamId = Guid.NewGuid(), expectedVersion = 0, type = "AccountCreated", data = LogDatabase.Created(email) })).EnsureSuccessStatusCode();
    }
}
