using FsCheck;
using FsCheck.Xunit;
using Npgsql;
using Signup.EventLog;

namespace Signup.Tests.Integration.Query;

/// <summary>Writers take positions, and commit late, out of order, or not at all; readers look in between.</summary>
public sealed class reading_the_log_in_total_order : IAsyncLifetime
{
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync() => _log = await LogDatabase.CreateAsync("gaps");
    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Property(MaxTest = 150)]
    public Property never_skips_an_event_however_commits_interleave() => Interleaving.Any(_log, () => new LogReader(_log.Database));

    [Fact]
    public Task waits_for_a_lower_position_whose_writer_began_after_the_writer_of_the_higher_one() => Interleaving.PlayAsync(_log, new LogReader(_log.Database),
        (Step.Begin, 0), (Step.Begin, 1), (Step.Append, 1), (Step.Append, 0), (Step.Commit, 0), (Step.Read, 0), (Step.Commit, 1), (Step.Read, 0));

    [Fact]
    public Task waits_for_a_lower_position_at_the_second_look_too() => Interleaving.PlayAsync(_log, new LogReader(_log.Database),
        (Step.Begin, 0), (Step.Begin, 1), (Step.Append, 1), (Step.Append, 0), (Step.Commit, 0), (Step.Read, 0), (Step.Begin, 2), (Step.Commit, 2), (Step.Read, 0), (Step.Read, 0), (Step.Commit, 1), (Step.Read, 0));

    [Fact]
    public async Task goes_on_over_a_gap_that_a_rollback_left()
    {
        await Interleaving.PlayAsync(_log, new LogReader(_log.Database), (Step.Begin, 0), (Step.Append, 0), (Step.Begin, 1), (Step.Append, 1), (Step.Rollback, 0), (Step.Commit, 1));
    }

    [Fact]
    public async Task a_writer_that_stays_open_holds_up_what_is_behind_it_and_nothing_before_it()
    {
        var reader = new LogReader(_log.Database);
        await using var late = await Writer.BeginAsync(_log.Database);
        await using var early = await Writer.BeginAsync(_log.Database);
        var before = await early.AppendAsync();
        await late.AppendAsync();
        var behind = await early.AppendAsync();
        await early.CommitAsync();
        var start = before - 1;

        for (var look = 0; look < 5; look++)
            Assert.Equal([before], (await Interleaving.ReadAsync(reader, start)).Select(e => e.Position));
        await late.CommitAsync();
        Assert.Equal([before, before + 1, behind], (await _log.ReadAllAsync(reader, start)).Select(e => e.Position));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task waits_for_nobody_who_has_not_taken_a_position(bool inAnotherDatabase)
    {
        var settings = new NpgsqlConnectionStringBuilder(_log.ConnectionString);
        if (inAnotherDatabase) settings.Database = "postgres";
        await using var database = NpgsqlDataSource.Create(settings);
        await using var somebody = await database.OpenConnectionAsync();
        await using var transaction = await somebody.BeginTransactionAsync();
        await using (var begun = new NpgsqlCommand("select pg_current_xact_id()", somebody)) await begun.ExecuteScalarAsync();
        if (!inAnotherDatabase)
            await using (var locked = new NpgsqlCommand($"lock table {LogStore.Schema}.mt_events in row exclusive mode; select last_value from {LogStore.Schema}.mt_events_sequence", somebody)) await locked.ExecuteNonQueryAsync();
        long start;
        await using (var gone = await Writer.BeginAsync(_log.Database)) start = await gone.AppendAsync() - 1;
        await using var writer = await Writer.BeginAsync(_log.Database);
        var position = await writer.AppendAsync();
        await writer.CommitAsync();

        Assert.Equal([position], (await Interleaving.ReadAsync(new LogReader(_log.Database), start)).Select(e => e.Position));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task waits_for_an_append_of_the_log_s_own_that_has_its_position_and_has_written_nothing_yet(bool byMarten)
    {
        // To a stream that is there already, so that nothing else gave the transaction an id before it took the position.
        var slow = Guid.NewGuid();
        await _log.AppendAsync(slow, LogDatabase.Created("slow@example.org"));
        await using var pause = await _log.Database.OpenConnectionAsync();
        await using (var command = new NpgsqlCommand($"""
            create function pause() returns trigger language plpgsql as 'begin if new.type = ''AccountActivated'' then perform pg_advisory_xact_lock_shared(12); end if; return new; end';
            create trigger pause before insert on {LogStore.Schema}.mt_events for each row execute function pause();
            select pg_advisory_lock(12);
            """, pause)) await command.ExecuteNonQueryAsync();
        var reader = new LogReader(_log.Database);
        var start = await reader.LastPositionAsync(Wait.Token);

        await using var session = _log.Store.LightweightSession();
        session.Events.Append(slow, new Signup.EventLog.Accounts.AccountActivated(DateTimeOffset.UtcNow));
        var appending = byMarten ? session.SaveChangesAsync(Wait.Token) : _log.AppendAsync(slow, new Signup.EventLog.Accounts.AccountActivated(DateTimeOffset.UtcNow));
        await Wait.UntilAsync(async () => await _log.ScalarAsync<bool>("select exists (select from pg_locks where locktype = 'advisory' and not granted)"), "it has its position and is held up");
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("quick@example.org"));
        for (var look = 0; look < 5; look++) Assert.Empty(await Interleaving.ReadAsync(reader, start));

        await using (var command = new NpgsqlCommand("select pg_advisory_unlock(12)", pause)) await command.ExecuteNonQueryAsync();
        await appending;
        Assert.Equal([start + 1, start + 2], (await _log.ReadAllAsync(reader, start)).Select(e => e.Position));
    }

    [Fact]
    public async Task reads_a_range_that_is_final_to_its_end_so_many_at_once()
    {
        for (var n = 0; n < 7; n++) await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"{n}@example.org"));
        await using var connection = await _log.Database.OpenConnectionAsync();
        var read = new List<long[]>();
        await foreach (var events in new LogReader(_log.Database).ReadRangeAsync(connection, Partition.All, after: 1, upTo: 6, atOnce: 2, Wait.Token)) read.Add([.. events.Select(e => e.Position)]);
        Assert.Equal([[2, 3], [4, 5], [6]], read);
    }

    [Fact]
    public async Task tells_when_an_event_was_appended_whatever_the_time_zone_of_the_server()
    {
        await using var writer = await Writer.BeginAsync(_log.Database);
        var position = await writer.AppendAsync();
        await writer.CommitAsync();
        var e = Assert.Single(await new LogReader(_log.Database).ReadAsync(position - 1, 1, Wait.Token));
        Assert.Equal(DateTimeOffset.UtcNow, e.At, TimeSpan.FromMinutes(1));
    }
}
