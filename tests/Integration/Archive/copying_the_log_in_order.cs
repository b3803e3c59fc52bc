using Npgsql;
using Signup.Archive;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.EventLog.Archive;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Archive;

public sealed class copying_the_log_in_order : IAsyncLifetime
{
    private static readonly DateTimeOffset Moment = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private ArchivedLog _archived = null!;
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync()
    {
        _archived = await ArchivedLog.CreateAsync(eventsPerSegment: 3);
        _log = _archived.Log;
    }

    public ValueTask DisposeAsync() => _archived.DisposeAsync();

    [Fact]
    public async Task waits_for_a_late_commit_and_does_not_skip_it()
    {
        await AppendAsync(4);
        await using var late = await _log.Database.OpenConnectionAsync();
        await using var transaction = await late.BeginTransactionAsync();
        // The database would end it after ten seconds of silence, which on a busy machine come before the end of this test.
        await using (var command = new NpgsqlCommand("set local idle_in_transaction_session_timeout = 0; select pg_current_xact_id()", late)) await command.ExecuteScalarAsync();
        var position = (await LogDatabase.AppendAsync(late, Guid.NewGuid(), ("AccountActivated", """{"activatedAt": "2026-11-23T10:00:00+00:00"}""")))[0];
        await AppendAsync(4);

        var archiver = _archived.Archiver();
        for (var n = 0; n < 3; n++) await CopyAsync(archiver);
        Assert.True(Assert.Single(await _archived.SegmentsAsync()).Last < position);
        var copying = archiver.CopyAsync(DateTimeOffset.MaxValue, CancellationToken.None).ToListAsync().AsTask();
        await Fixture.Wait.UntilAsync(async () => await _log.ScalarAsync<bool>("select exists (select from pg_locks where locktype = 'advisory' and granted)"), "it is at work");
        Assert.False(copying.IsCompleted);

        await transaction.CommitAsync();
        await copying;
        Assert.Equal(await _log.ReadAllAsync(new LogReader(_log.Database, asStored: true)), await ArchiveAsync());
        Assert.Contains(position, (await ArchiveAsync()).Select(e => e.Position));
    }

    [Fact]
    public async Task leaves_what_does_not_fill_a_segment_until_it_is_asked_for()
    {
        await AppendAsync(8);
        Assert.Equal([3, 3], (await CopyAsync(_archived.Archiver())).Select(s => s.Count));
        Assert.Empty(await CopyAsync(_archived.Archiver()));
        await AppendAsync(1);
        Assert.Equal([3], (await CopyAsync(_archived.Archiver())).Select(s => s.Count));
        await AppendAsync(1);
        Assert.Equal([1], (await _archived.CopyAllAsync()).Select(s => s.Count));
        var segments = await _archived.SegmentsAsync();
        Assert.Equal(segments.Select(s => s.First), segments.Select(s => s.Last + 1).Prepend(1).SkipLast(1));
    }

    [Fact]
    public async Task leaves_what_is_too_young()
    {
        await AppendAsync(7);
        var events = await _log.ReadAllAsync();
        var hour = TimeSpan.FromHours(1);
        Assert.Empty(await CopyAsync(_archived.Archiver(minimumAge: hour, time: new At(events[2].At + hour - TimeSpan.FromMicroseconds(1)))));
        Assert.Single(await CopyAsync(_archived.Archiver(minimumAge: hour, time: new At(events[2].At + hour))));
        // Up to a moment, as told.
        Assert.Equal([2], (await _archived.Archiver(minimumAge: hour).CopyAsync(events[4].At, CancellationToken.None).ToListAsync()).Select(s => s.Count));
    }

    [Fact]
    public async Task drops_no_further_than_to_the_moment_and_no_account_in_part()
    {
        var (across, before) = (Guid.NewGuid(), Guid.NewGuid());
        await _log.AppendAsync(across, LogDatabase.Created("across@example.org"));
        await _log.AppendAsync(before, LogDatabase.Created("before@example.org"), new AccountExpired("before@example.org", Moment));
        var until = (await _log.ReadAllAsync())[^1].At;
        await _log.AppendAsync(across, new AccountExpired("across@example.org", Moment));
        await AppendAsync(2);
        await _archived.CopyAllAsync();
        var events = await _log.ReadAllAsync();

        var (exitCode, output) = await _archived.RunAsync("drop", "--until", until.ToString("O", System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(exitCode == 0, output);
        Assert.Contains("Dropped 2 events of 1 ended accounts, up to position 3.", output, StringComparison.Ordinal);
        Assert.Equal(2, await _log.ScalarAsync<long>($"select count(*) from log.mt_events where stream_id = '{across}'"));
        Assert.Equal(events, await _log.ReadAllAsync());
    }

    [Fact]
    public async Task drops_nothing_without_a_moment_and_nothing_that_was_not_copied()
    {
        var id = Guid.NewGuid();
        await _log.AppendAsync(id, LogDatabase.Created("a@example.org"), new AccountExpired("a@example.org", Moment));
        Assert.Equal(2, (await _archived.RunAsync("drop")).ExitCode);
        Assert.Contains("nothing is dropped", (await _archived.RunAsync("drop", "--until", ArchivedLog.Later)).Output, StringComparison.Ordinal);
        Assert.Equal(2, await _log.ScalarAsync<long>("select count(*) from log.mt_events"));
    }

    [Fact]
    public async Task says_in_an_answer_to_a_question_that_the_table_is_not_all()
    {
        var catalogue = new Signup.Query.Questions.Catalogue(_log.Database, AppContext.BaseDirectory);
        var question = Signup.Query.Questions.Question.Parse("any", "-- title: t\n-- asks: a\nselect @from, @to");
        await AppendAsync(2);
        var last = (await _log.ReadAllAsync())[^1].At;
        Assert.Null((await catalogue.AskAsync(question, last.AddDays(-1), last, CancellationToken.None)).DroppedUntil);
        await _archived.CopyAndDropAsync();
        Assert.Equal(last, (await catalogue.AskAsync(question, last.AddDays(-1), last, CancellationToken.None)).DroppedUntil);
        // Also where the time that is asked about lies behind it: an answer may depend on what was before.
        Assert.Equal(last, (await catalogue.AskAsync(question, last.AddSeconds(1), last.AddDays(1), CancellationToken.None)).DroppedUntil);
    }

    [Fact]
    public async Task needs_tables_that_are_made_once() => await _log.Store.Storage.Database.AssertDatabaseMatchesConfigurationAsync();

    private static async Task<List<Segment>> CopyAsync(Archiver archiver) => await archiver.CopyAsync(until: null, CancellationToken.None).ToListAsync();

    private async Task AppendAsync(int count)
    {
        for (var n = 0; n < count; n++) await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"{Guid.NewGuid():N}@example.org"));
    }

    private async Task<List<LoggedEvent>> ArchiveAsync()
    {
        var events = new List<LoggedEvent>();
        foreach (var segment in await _archived.SegmentsAsync()) events.AddRange((await segment.LoadAsync(CancellationToken.None)).Select(e => e.ToLogged(asStored: true)));
        return events;
    }

    private sealed class At(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
