using System.Data;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Signup.Archive;
using Signup.EventLog;
using Signup.EventLog.Archive;
using Signup.Tests.Fixture;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Archive;

public sealed class when_an_archiver_dies : IAsyncLifetime
{
    private ArchivedLog _archived = null!;
    private LogDatabase _log = null!;
    private List<LoggedEvent> _events = null!;

    public async ValueTask InitializeAsync()
    {
        _archived = await ArchivedLog.CreateAsync(eventsPerSegment: 2);
        _log = _archived.Log;
        await _archived.FillAsync(accounts: 20);
        _events = await _log.ReadAllAsync(new LogReader(_log.Database, asStored: true));
    }

    public ValueTask DisposeAsync() => _archived.DisposeAsync();

    [Fact]
    public async Task at_any_moment_nothing_is_lost_and_nothing_is_there_twice()
    {
        var random = new Random(20261124);
        var interrupted = 0;
        for (var round = 0; round < 8; round++)
        {
            using var process = _archived.Start("copy", "--until", ArchivedLog.Later);
            var files = Files("*").Length + random.Next(1, 9);
            // As soon as so many files are there, whatever the last of them is: being written, renamed, or recorded.
            var deadline = Stopwatch.StartNew();
            while (Files("*").Length < files && !process.HasExited && deadline.Elapsed < Wait.Deadline) await Task.Yield();
            process.Kill();
            await process.WaitForExitAsync();
            if ((await ProblemsAsync()) is { Count: > 0 } problems) Assert.Fail(string.Join('\n', problems));
            if ((await _archived.SegmentsAsync()).Sum(s => s.Count) < _events.Count) interrupted++;
        }
        Assert.True(interrupted >= 3, $"Only {interrupted} were killed before they were done.");

        await _archived.CopyAllAsync();
        Assert.Empty(await ProblemsAsync());
        Assert.Equal(_events, await ArchiveAsync());
        Assert.Empty(Files("*.tmp"));
        Assert.Equal(await NamesAsync(), Files("*"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task before_a_file_is_recorded_the_next_one_makes_the_same_file(bool databaseNotices)
    {
        using var process = _archived.Start("copy", "--until", ArchivedLog.Later);
        await using (var connection = await _log.Database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await Execute(connection, "set local idle_in_transaction_session_timeout = 0; lock table log.archived_segment in share mode");
            var waiting = await WaitingAsync("insert into log.archived_segment%");
            process.Kill();
            await process.WaitForExitAsync();
            Assert.Single(Files("*"));
            if (databaseNotices) await Execute(connection, $"select pg_terminate_backend({waiting})");
        }
        await GoneAsync("insert into log.archived_segment%");
        var left = await File.ReadAllBytesAsync(Files("*")[0]);
        Assert.Equal(databaseNotices ? 0 : 1, (await _archived.SegmentsAsync()).Count);
        var (exitCode, output) = await _archived.RunAsync("verify");
        Assert.Equal((0, databaseNotices), (exitCode, output.Contains("belongs to no segment", StringComparison.Ordinal)));

        await _archived.CopyAllAsync();
        Assert.Equal(left, await File.ReadAllBytesAsync((await _archived.SegmentsAsync())[0].Path));
        Assert.Equal(_events, await ArchiveAsync());
        Assert.Equal(await NamesAsync(), Files("*"));
    }

    [Fact]
    public async Task half_a_file_is_no_file()
    {
        Directory.CreateDirectory(_archived.Directory);
        await File.WriteAllTextAsync(Path.Combine(_archived.Directory, $"{_events[0].Position:D12}.parquet.tmp"), "half");
        await _archived.CopyAllAsync();
        Assert.Empty(Files("*.tmp"));
        Assert.Equal(_events, await ArchiveAsync());
    }

    [Fact]
    public async Task while_it_drops_all_is_still_there()
    {
        await _archived.CopyAllAsync();
        var table = await _archived.TableAsync();
        using var process = _archived.Start("drop", "--until", ArchivedLog.Later);
        await using (var connection = await _log.Database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await Execute(connection, "set local idle_in_transaction_session_timeout = 0; lock table log.mt_events in share mode");
            await WaitingAsync("with ended as%");
            process.Kill();
            await process.WaitForExitAsync();
        }
        await GoneAsync("with ended as%");

        Assert.Equal(table, await _archived.TableAsync());
        Assert.Equal(0, await _log.ScalarAsync<long>("select dropped from log.archive"));
        Assert.Equal(0, await _log.ScalarAsync<long>("select count(*) from log.archived_stream"));
        Assert.Equal(_events, await _log.ReadAllAsync(new LogReader(_log.Database, asStored: true)));
        await _archived.CopyAndDropAsync();
        Assert.Equal(_events, await _log.ReadAllAsync(new LogReader(_log.Database, asStored: true)));
    }

    [Fact]
    public async Task or_is_frozen_another_does_its_work_and_it_does_nothing_more()
    {
        await using var frozen = _archived.Archiver().CopyAsync(DateTimeOffset.MaxValue, CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await frozen.MoveNextAsync());
        // The database gives its lock to another.
        await _log.ExecuteAsync("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()");
        await _archived.CopyAllAsync();
        await Assert.ThrowsAnyAsync<NpgsqlException>(async () => await frozen.MoveNextAsync());
        Assert.Equal(_events, await ArchiveAsync());
    }

    [Fact]
    public async Task or_many_are_at_work_each_event_is_archived_once()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => _archived.RunAsync("copy", "--until", ArchivedLog.Later)));
        Assert.All(runs, r => Assert.True(r.ExitCode == 0, r.Output));
        Assert.Equal(_events, await ArchiveAsync());
        Assert.Empty(await ProblemsAsync());
    }

    /// <summary>What all closed files hold.</summary>
    private async Task<List<LoggedEvent>> ArchiveAsync()
    {
        var events = new List<LoggedEvent>();
        foreach (var segment in await _archived.SegmentsAsync()) events.AddRange((await segment.LoadAsync(CancellationToken.None)).Select(e => e.ToLogged(asStored: true)));
        return events;
    }

    private async Task<List<string>> ProblemsAsync()
    {
        await using var connection = await _log.Database.OpenConnectionAsync();
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        var segments = await Segment.FindAsync(connection, "true order by s.last", CancellationToken.None);
        return await new Verification(LogDatabase.Quiet("files")).RunAsync(connection, segments, CancellationToken.None).ToListAsync();
    }

    private string[] Files(string pattern) => Directory.Exists(_archived.Directory) ? [.. Directory.GetFiles(_archived.Directory, pattern).Order(StringComparer.Ordinal)] : [];

    private async Task<string[]> NamesAsync() => [.. (await _archived.SegmentsAsync()).Select(s => s.Path)];

    /// <summary>The session that waits for a lock with such a statement, once there is one.</summary>
    private async Task<string> WaitingAsync(string statement) => await Wait.ForAsync(
        () => OneAsync($"select max(pid)::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ilike '{statement}'"), "it waits for the lock");

    private Task GoneAsync(string statement) => Wait.UntilAsync(
        async () => await OneAsync($"select max(pid)::text from pg_stat_activity where datname = current_database() and state <> 'idle' and query ilike '{statement}'") is null, "its session is over");

    private async Task<string?> OneAsync(string sql)
    {
        await using var command = _log.Database.CreateCommand(sql);
        return await command.ExecuteScalarAsync() as string;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
