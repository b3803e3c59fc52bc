using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.EventLog.Archive;
using Signup.Query.Accounts;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Archive;

public sealed class when_the_archive_is_damaged : IAsyncLifetime
{
    private ArchivedLog _archived = null!;
    private LogDatabase _log = null!;
    private List<Guid> _living = null!, _ended = null!;
    private List<Segment> _segments = null!;
    private List<LoggedEvent> _events = null!;

    public async ValueTask InitializeAsync()
    {
        _archived = await ArchivedLog.CreateAsync();
        _log = _archived.Log;
        (_living, _ended) = await _archived.FillAsync();
        _events = await _log.ReadAllAsync();
        _segments = await _archived.CopyAllAsync();
    }

    public ValueTask DisposeAsync() => _archived.DisposeAsync();

    [Fact]
    public async Task a_sound_one_is_verified_before_and_after_events_are_dropped()
    {
        var (exitCode, output) = await _archived.RunAsync("verify");
        Assert.True(exitCode == 0, output);
        Assert.Contains($"Verified {_segments.Count} files with {_events.Count} events. No problem found.", output, StringComparison.Ordinal);
        Assert.Equal(0, (await DropAsync()).ExitCode);
        Assert.Contains("No problem found", (await _archived.RunAsync("verify")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task a_flipped_bit_is_found_in_any_file_and_nothing_is_dropped()
    {
        var table = await _archived.TableAsync();
        var random = new Random(1);
        foreach (var segment in _segments) await FlipAsync(segment, random.Next());

        var (exitCode, output) = await DropAsync();
        Assert.Equal(1, exitCode);
        Assert.Contains($"Problems found: {_segments.Count}. Nothing is dropped.", output, StringComparison.Ordinal);
        Assert.All(_segments, s => Assert.Contains($"{s.Path} is not what was written", output, StringComparison.Ordinal));
        Assert.Equal(table, await _archived.TableAsync());
        Assert.Equal(_events, await _log.ReadAllAsync());
        Assert.Equal(1, (await _archived.RunAsync("verify")).ExitCode);
    }

    [Fact]
    public async Task a_missing_file_is_found_and_nothing_is_dropped()
    {
        var table = await _archived.TableAsync();
        File.Delete(_segments[2].Path);
        var (exitCode, output) = await DropAsync();
        Assert.Equal(1, exitCode);
        Assert.Contains($"{_segments[2].Path} is missing", output, StringComparison.Ordinal);
        Assert.Contains("Problems found: 1. Nothing is dropped.", output, StringComparison.Ordinal);
        Assert.Equal(table, await _archived.TableAsync());
    }

    [Theory]
    [InlineData("update log.mt_events set data = data || '{\"email\": \"other@example.org\"}' where seq_id = {0}", "position {0} differs from the log's table in Data")]
    [InlineData("update log.mt_events set timestamp = timestamp + interval '1 microsecond' where seq_id = {0}", "position {0} differs from the log's table in At")]
    [InlineData("update log.mt_events set mt_dotnet_type = null where seq_id = {0}", "position {0} differs from the log's table in DotNetType")]
    [InlineData("delete from log.mt_events where seq_id = {0}", "position {0} is not in the log's table, and was not dropped from it")]
    [InlineData("insert into log.mt_events select seq_id - 1, gen_random_uuid(), stream_id, 99, data, bdata, type, timestamp from log.mt_events where seq_id = {0}", "position {1} is in the log's table, and not in the file")]
    public async Task a_row_that_changed_is_found_and_nothing_is_dropped(string change, string finding)
    {
        // Behind a position that a rollback left empty.
        var position = _events.Zip(_events.Skip(1)).First(e => e.Second.Position > e.First.Position + 1).Second.Position;
        await _log.ExecuteAsync(Fill(change));
        var table = await _archived.TableAsync();

        var (exitCode, output) = await DropAsync();

        Assert.Equal(1, exitCode);
        Assert.Contains(Fill(finding), output, StringComparison.Ordinal);
        Assert.DoesNotContain("other@example.org", output, StringComparison.Ordinal);
        Assert.Contains("Problems found: 1. Nothing is dropped.", output, StringComparison.Ordinal);
        Assert.Equal(table, await _archived.TableAsync());

        string Fill(string text) => text.Replace("{0}", $"{position}", StringComparison.Ordinal).Replace("{1}", $"{position - 1}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("delete from log.archived_stream where stream_id = '{0}'", "is not in the log's table, and was not dropped from it")]
    [InlineData("update log.archived_stream set event_ids[2] = gen_random_uuid() where stream_id = '{0}'", "is not in the log's table, and was not dropped from it")]
    [InlineData("delete from log.archived_segment where first = (select min(first) from log.archived_segment where first > 1)", "and the file before it ends with")]
    [InlineData("delete from log.archived_segment where last = (select max(last) from log.archived_segment)", "and the last file ends with")]
    public async Task what_has_gone_wrong_since_events_were_dropped_is_found(string damage, string finding)
    {
        Assert.Equal(0, (await DropAsync()).ExitCode);
        await _log.ExecuteAsync(damage.Replace("{0}", $"{_ended[0]}", StringComparison.Ordinal));
        var (exitCode, output) = await _archived.RunAsync("verify");
        Assert.Equal(1, exitCode);
        Assert.Contains(finding, output, StringComparison.Ordinal);
        // Nobody reads past it either.
        if (damage.Contains("archived_segment", StringComparison.Ordinal)) await Assert.ThrowsAsync<ArchiveException>(() => ReadUntilItFailsAsync(new LogReader(_log.Database), []));
    }

    [Theory]
    [InlineData(true, "is missing, which holds positions")]
    [InlineData(false, "is not what was written: its SHA-256 is")]
    public async Task readers_name_the_file_skip_nothing_and_go_on_once_it_is_back(bool missing, string message)
    {
        Assert.Equal(0, (await DropAsync()).ExitCode);
        var segment = _segments.First(s => s.First > _events[0].Position && _events.Any(e => e.StreamId == _ended[0] && e.Position >= s.First && e.Position <= s.Last));
        var bytes = await File.ReadAllBytesAsync(segment.Path);
        if (missing) File.Delete(segment.Path);
        else await FlipAsync(segment, 12345);

        var reader = new LogReader(_log.Database);
        var read = new List<LoggedEvent>();
        var error = await Assert.ThrowsAsync<ArchiveException>(() => ReadUntilItFailsAsync(reader, read));
        Assert.Contains($"{segment.Path} {message}", error.Message, StringComparison.Ordinal);
        Assert.Equal(_events.Where(e => e.Position < segment.First), read);
        await using var connection = await _log.Database.OpenConnectionAsync();
        await Assert.ThrowsAsync<ArchiveException>(() => History.ReadAsync(connection, _ended[0], long.MaxValue, CancellationToken.None));
        // Who needs nothing of it is not disturbed.
        Assert.NotEmpty(await History.ReadAsync(connection, _living[0], long.MaxValue, CancellationToken.None));

        await File.WriteAllBytesAsync(segment.Path, bytes);
        Assert.Equal(_events, await _log.ReadAllAsync(reader));
    }

    [Fact]
    public async Task a_follower_waits_for_the_file()
    {
        Assert.Equal(0, (await DropAsync()).ExitCode);
        var away = _segments[3].Path + ".away";
        File.Move(_segments[3].Path, away);
        using var follower = await _log.FollowAsync();
        await Fixture.Wait.UntilAsync(async () => (await follower.MeasureAsync(CancellationToken.None)).Position == _segments[2].Last, "it has come as far as it can");
        File.Move(away, _segments[3].Path);
        await _log.CaughtUpAsync(follower);
        Assert.Empty(await _log.AuditAsync());
    }

    [Fact]
    public async Task another_directory_is_not_taken_for_it_before_all_files_are_there()
    {
        Assert.Equal(0, (await DropAsync()).ExitCode);
        var other = _archived.Directory + "-moved";
        Directory.CreateDirectory(other);
        try
        {
            File.Copy(_segments[0].Path, Path.Combine(other, _segments[0].File));
            var (exitCode, output) = await VerifyAsync();
            Assert.Equal(1, exitCode);
            Assert.Contains($"lacks {_segments[1].File}", output, StringComparison.Ordinal);
            Assert.Equal(_events, await _log.ReadAllAsync());

            foreach (var s in _segments) File.Move(s.Path, Path.Combine(other, s.File), overwrite: true);
            Assert.Equal(0, (await VerifyAsync()).ExitCode);
            Assert.Equal(_events, await _log.ReadAllAsync());
            Assert.All(await _archived.SegmentsAsync(), s => Assert.StartsWith(other, s.Path, StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(other, recursive: true);
        }

        Task<(int ExitCode, string Output)> VerifyAsync() => _archived.RunInAsync(other, "verify");
    }

    private Task<(int ExitCode, string Output)> DropAsync() => _archived.RunAsync("drop", "--until", ArchivedLog.Later);

    private async Task ReadUntilItFailsAsync(LogReader reader, List<LoggedEvent> read)
    {
        for (var after = 0L; after < _events[^1].Position; after = read[^1].Position)
        {
            var events = await reader.ReadAsync(after, 1_000, CancellationToken.None);
            Assert.NotEmpty(events);
            read.AddRange(events);
        }
    }

    private static async Task FlipAsync(Segment segment, int anywhere)
    {
        var bytes = await File.ReadAllBytesAsync(segment.Path);
        bytes[anywhere % bytes.Length] ^= (byte)(1 << anywhere % 8);
        await File.WriteAllBytesAsync(segment.Path, bytes);
    }
}
