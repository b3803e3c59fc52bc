using System.Text.Json.Nodes;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;

namespace Signup.Tests.Integration.Archive;

/// <summary>An operator, and what the commands tell.</summary>
public sealed class dropping_what_is_archived : IAsyncLifetime
{
    private SignupSystem _system = null!;
    private ArchivedLog _archive = null!;

    public async ValueTask InitializeAsync()
    {
        _system = await SignupSystem.CreateAsync("dropping");
        _archive = ArchivedLog.Of(_system);
        await LogStore.CreateAsync(_archive.Database, Wait.Token);
        await _archive.AppendAsync(35);
        await _archive.ArchiveAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _archive.DisposeAsync();
        await _system.DisposeAsync();
    }

    [Fact]
    public async Task asks_before_and_is_a_fact_and_can_be_undone()
    {
        var before = await _archive.StoredAsync(35);

        var (exit, output) = await _system.AnswerAsync("drop", "Archive", "drop", "--before", "25");

        Assert.Contains("20 events, at positions 1 to 20, are to be taken out of the log's table. What they say will be in 2 files in ", output);
        Assert.Contains("Are there copies of them? Type 'drop' to go on:", output);
        Assert.Contains("20 events were dropped, up to position 20. './run Archive restore' puts them back.", output);
        Assert.Equal(0, exit);
        Assert.Equal((15L, 20L), (await InTableAsync(), await _archive.ScalarAsync<long>("select count(*) from log.dropped")));
        Assert.Equal(before, await ReadAsync());
        Assert.Equal([("EventsDropped", 1, 10), ("EventsDropped", 11, 20)], await FactsAsync());
        Assert.Equal(2L, await _archive.ScalarAsync<long>($"select count(*) from log.mt_events where headers ->> 'actor' = 'operator:{Environment.UserName}'"));
        var (ok, verified) = await _system.RunAsync("Archive", "verify");
        Assert.Contains("30 events in 3 files, up to position 30, 20 of them dropped from the log. No problem found.", verified);
        Assert.Equal(0, ok);

        (exit, output) = await _system.AnswerAsync("drop", "Archive", "drop", "--before", "25");
        Assert.Contains("No range that is archived, and in the log's table, lies before 25: nothing is to be dropped.", output);
        Assert.Equal((0, 15L), (exit, await InTableAsync()));

        (exit, output) = await _system.RunAsync("Archive", "restore", "--from", "20");
        Assert.Contains("10 events were put back.", output);
        Assert.Equal((0, 25L), (exit, await InTableAsync()));
        (exit, output) = await _system.RunAsync("Archive", "restore");
        Assert.Contains("10 events were put back.", output);
        Assert.Equal((0, 35L, 0L), (exit, await InTableAsync(), await _archive.ScalarAsync<long>("select count(*) from log.dropped")));
        Assert.Equal(before, await _archive.StoredAsync(35));
        Assert.Equal([("EventsDropped", 1, 10), ("EventsDropped", 11, 20), ("EventsRestored", 11, 20), ("EventsRestored", 1, 10)], await FactsAsync());
    }

    [Theory, InlineData("no"), InlineData("")]
    public async Task without_the_word_leaves_all_as_it_is(string typed)
    {
        var (exit, output) = await _system.AnswerAsync(typed, "Archive", "drop", "--before", "100");
        Assert.Contains("Nothing was dropped.", output);
        Assert.Equal((1, 35L), (exit, await InTableAsync()));
        Assert.Empty(await FactsAsync());
    }

    [Fact]
    public async Task before_a_moment_takes_ranges_of_which_all_is_older()
    {
        await _archive.Database.TamperAsync("update log.mt_events set timestamp = '2026-01-01' where seq_id <= 15");
        // The archive has another time by now: its own, so it is made again.
        await _archive.ExecuteAsync("grant delete on log.archived to current_user; delete from log.archived; revoke delete on log.archived from current_user");
        Directory.Delete(_archive.Target.Place, recursive: true);
        await _archive.ArchiveAsync();

        var (exit, output) = await _system.AnswerAsync("drop", "Archive", "drop", "--before", "2026-02-01T00:00:00Z");

        Assert.Contains("10 events were dropped, up to position 10.", output);
        Assert.Equal((0, 25L), (exit, await InTableAsync()));
    }

    [Theory]
    [InlineData("missing", "^ is missing, which holds positions 11 to 20 of the log. Put it back from a copy")]
    [InlineData("altered", "^ is not what was written: its SHA-256 is ")]
    [InlineData("not the log", "^ differs from the log: position 14 differs from the log in At. './run Archive verify' says in what else.")]
    public async Task stops_before_a_range_that_is_not_in_the_archive_as_it_is(string damage, string said)
    {
        var file = _archive.Target.PathOf((await _archive.RangesAsync())[1].File);
        switch (damage)
        {
            case "missing": File.Delete(file); break;
            case "altered": await File.AppendAllTextAsync(file, "x"); break;
            case "not the log": await _archive.Database.TamperAsync("update log.mt_events set timestamp = timestamp + interval '1 microsecond' where seq_id = 14"); break;
        }
        var (exit, output) = await _system.AnswerAsync("drop", "Archive", "drop", "--before", "100");
        Assert.Contains($"drop failed: {said.Replace("^", file, StringComparison.Ordinal)}", output);
        // What was dropped before it is, and says so.
        Assert.Equal((1, 25L), (exit, await InTableAsync()));
        Assert.Equal([("EventsDropped", 1, 10)], await FactsAsync());
    }

    [Fact]
    public async Task of_a_range_that_cannot_be_put_back_leaves_it_dropped()
    {
        await _archive.DropAsync();
        var file = _archive.Target.PathOf((await _archive.RangesAsync())[1].File);
        await File.AppendAllTextAsync(file, "x");
        var (exit, output) = await _system.RunAsync("Archive", "restore");
        Assert.Contains($"restore failed: {file} is not what was written: its SHA-256 is ", output);
        Assert.Equal((1, 15L), (exit, await InTableAsync()));
    }

    [Fact]
    public async Task is_done_by_the_role_that_owns_the_log_and_by_nobody_else()
    {
        await using (var owner = LogStore.Connect(_system.Parts.PostgresOwner)) await AppendOnly.MigrateAsync(owner, new NpgsqlConnectionStringBuilder(_system.Parts.Postgres).Username!, Wait.Token);
        foreach (var sql in new[] { "delete from log.mt_events", "insert into log.dropped select seq_id, id, stream_id, version, type, timestamp from log.mt_events", "grant delete on log.mt_events to current_user; delete from log.mt_events" })
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => _archive.ExecuteAsync(sql))).SqlState);

        var (exit, output) = await _system.AnswerAsync("drop", "Archive", "drop", "--before", "100");

        Assert.Contains("30 events were dropped, up to position 30.", output);
        Assert.Equal((0, 5L), (exit, await InTableAsync()));
        Assert.Equal(30, (await _archive.Log().ReadAsync(0, 30, Wait.Token)).Count);
        foreach (var sql in new[] { "delete from log.dropped", "update log.dropped set version = 7" })
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => _archive.ExecuteAsync(sql))).SqlState);
    }

    [Theory]
    [InlineData("--before must be a position, or a moment such as 2026-11-23T10:00:00Z.", "drop", "--before", "yesterday")]
    [InlineData("Option '--before' is required.", "drop")]
    [InlineData("--from must be a position, such as 100001.", "restore", "--from", "yesterday")]
    public async Task says_what_it_does_not_understand(string said, params string[] arguments)
    {
        var (exit, output) = await _system.RunAsync("Archive", arguments);
        Assert.Contains(said, output);
        Assert.Equal(2, exit);
    }

    /// <summary>Two operators at once, and appends meanwhile.</summary>
    [Fact]
    public async Task by_two_at_once_is_done_once()
    {
        await Task.WhenAll(_archive.DropAsync(), _archive.DropAsync(), Task.Run(async () =>
        {
            for (var n = 0; n < 20; n++) await _archive.AppendAsync(1);
        }));
        Assert.Equal(30L, await _archive.ScalarAsync<long>("select count(*) from log.dropped"));
        Assert.Equal(3, (await FactsAsync()).Count);
        Assert.Equal(55, (await _archive.Log().ReadAsync(0, 100, Wait.Token)).Count(e => e.Type != "EventsDropped"));
    }

    private Task<long> InTableAsync() => _archive.ScalarAsync<long>("select count(*) from log.mt_events where type like 'Account%'");

    private async Task<List<(string, int, int)>> FactsAsync() =>
        [.. (await _archive.Log().ReadStreamsAsync([Signup.Archive.DroppedRanges.Stream], Wait.Token)).SelectMany(s => s).Select(e => (e.Type, (int)JsonNode.Parse(e.Data)!["first"]!, (int)JsonNode.Parse(e.Data)!["last"]!))];

    /// <summary>What the log's and the archive's rows are together.</summary>
    private async Task<List<StoredEvent>> ReadAsync()
    {
        var archived = (await _archive.ReadAsync()).ToDictionary(e => e.Position);
        return [.. (await _archive.StoredAsync(35)).Select(e => e.Data is null ? archived[e.Position] : e)];
    }
}
