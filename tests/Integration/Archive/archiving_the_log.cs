using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.EventLog.Archiving;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Archive;

public sealed class archiving_the_log : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private ArchivedLog _archive = null!;

    public async ValueTask InitializeAsync() => _archive = await ArchivedLog.CreateAsync("archiving");
    public ValueTask DisposeAsync() => _archive.DisposeAsync();

    public enum Step { Append, RollBack, Archive, ArchiveElsewhere, BeginLate, CommitLate }

    /// <summary>Two archivers, which make files of different sizes, take turns while events are appended, rolled back, and committed late.</summary>
    [Property(MaxTest = 25)]
    public Property holds_each_event_once_and_as_it_is_however_it_came_about()
    {
        var step = from what in Gen.Frequency((4, Gen.Constant(Step.Append)), (2, Gen.Constant(Step.RollBack)), (3, Gen.Constant(Step.Archive)), (2, Gen.Constant(Step.ArchiveElsewhere)), (2, Gen.Constant(Step.BeginLate)), (2, Gen.Constant(Step.CommitLate)))
                   from count in Gen.Choose(1, 8)
                   select (what, count);
        return Prop.ForAll(step.ListOf().ToArbitrary(), steps => PlayAsync([.. steps]).GetAwaiter().GetResult());
    }

    private async Task PlayAsync((Step What, int Count)[] steps)
    {
        var (one, other) = (_archive.Archiver(3), _archive.Archiver(7));
        NpgsqlConnection? late = null;
        foreach (var (what, count) in steps)
        {
            switch (what)
            {
                case Step.Append: await _archive.AppendAsync(count); break;
                case Step.RollBack: await (await _archive.BegunAsync(count)).DisposeAsync(); break;
                case Step.Archive: await _archive.ArchiveAsync(one); break;
                case Step.ArchiveElsewhere: await _archive.ArchiveAsync(other); break;
                case Step.BeginLate: late ??= await _archive.BegunAsync(count); break;
                case Step.CommitLate when late is not null: await ArchivedLog.CommitAsync(late); late = null; break;
            }
        }
        if (late is not null) await ArchivedLog.CommitAsync(late);
        await _archive.AppendAsync(3);
        await Wait.UntilAsync(async () =>
        {
            await _archive.ArchiveAsync(one);
            return (await _archive.RangesAsync()).Max(r => (long?)r.Last) > await new LogReader(_archive.Database).LastPositionAsync(Wait.Token) - 3;
        }, "all that makes a whole file is archived");
        await _archive.AssertWholeAsync();
    }

    [Fact]
    public async Task waits_for_whoever_may_still_append_to_a_range()
    {
        await _archive.AppendAsync(4);
        await using var late = await _archive.BegunAsync(1);
        await _archive.AppendAsync(10);
        var archiver = _archive.Archiver();
        for (var look = 0; look < 3; look++) Assert.Null(await archiver.NextAsync(Wait.Token));

        await ArchivedLog.CommitAsync(late);

        await Wait.UntilAsync(async () => await archiver.NextAsync(Wait.Token) is { Events: 10 }, "the range is archived, with the one that came late");
        await _archive.AssertWholeAsync();
    }

    [Fact]
    public async Task goes_on_over_a_range_in_which_nothing_happened()
    {
        await (await _archive.BegunAsync(25)).DisposeAsync();
        await _archive.AppendAsync(10);
        var archiver = _archive.Archiver();
        await Wait.UntilAsync(async () => await archiver.NextAsync(Wait.Token) is { First: 1 }, "the first is archived");
        await _archive.ArchiveAsync(archiver);
        Assert.Equal([0L, 0L, 5L], (await _archive.RangesAsync()).Select(r => r.Events));
        await _archive.AssertWholeAsync();
    }

    [Fact]
    public async Task by_several_at_once_makes_each_file_once()
    {
        var archivers = Enumerable.Range(0, 3).Select(_ => _archive.Archiver()).ToList();
        var appending = Task.Run(async () =>
        {
            for (var n = 0; n < 60; n++) await _archive.AppendAsync(7);
        });
        await Task.WhenAll(archivers.Select(async archiver =>
        {
            while (!appending.IsCompleted) await archiver.NextAsync(Wait.Token);
        }).Append(appending));
        await _archive.ArchiveAsync();
        Assert.Equal(42, (await _archive.RangesAsync()).Count);
        await _archive.AssertWholeAsync();
    }

    /// <summary>A process may die after its files are there and before the database knows it.</summary>
    [Fact]
    public async Task after_a_death_keeps_whole_files_as_they_are()
    {
        await _archive.AppendAsync(10);
        await FailAtTheRowAsync();
        var files = await _archive.Files.ListAsync();
        Assert.Equal(2, files.Count);

        await _archive.ArchiveAsync();

        Assert.Equal(files, await _archive.Files.ListAsync());
        await _archive.AssertWholeAsync();
    }

    [Fact]
    public async Task after_a_death_makes_unfinished_files_again_and_leaves_nothing_behind()
    {
        await _archive.AppendAsync(10);
        await FailAtTheRowAsync();
        var files = (await _archive.Files.ListAsync()).Keys.ToList();
        await _archive.Files.DeleteAsync(Assert.Single(files, f => f.EndsWith(".json", StringComparison.Ordinal)));
        await _archive.Files.WriteAsync("half.tmp", new byte[1000]);

        await _archive.ArchiveAsync();

        Assert.Contains(Assert.Single(await _archive.RangesAsync()).File, files);
        await _archive.AssertWholeAsync();
    }

    /// <summary>The database takes a frozen process for dead; its connection is gone when it goes on.</summary>
    [Fact]
    public async Task by_somebody_who_has_lost_the_turn_counts_for_nothing()
    {
        await _archive.AppendAsync(10);
        await using var pause = await _archive.Database.OpenConnectionAsync();
        await ExecuteAsync(pause, """
            create function pause() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(12); return new; end';
            create trigger pause before insert on log.archived for each row execute function pause(); select pg_advisory_lock(12)
            """);
        var slow = _archive.Archiver().NextAsync(Wait.Token);
        await Wait.UntilAsync(async () => await _archive.ScalarAsync<bool>("select exists (select from pg_locks where locktype = 'advisory' and not granted)"), "it is about to insert its row");
        Assert.Null(await _archive.Archiver().NextAsync(Wait.Token));

        await ExecuteAsync(pause, "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => slow);
        await ExecuteAsync(pause, "select pg_advisory_unlock(12)");

        await _archive.ArchiveAsync();
        await _archive.AssertWholeAsync();
    }

    [Fact]
    public async Task stops_where_the_directory_is_another_log_s()
    {
        await using var other = await ArchivedLog.CreateAsync("another");
        await other.AppendAsync(10);
        await other.ArchiveAsync();
        await _archive.AppendAsync(10);
        foreach (var file in (await other.Files.ListAsync()).Keys) await _archive.Files.WriteAsync(file, await other.Files.ReadAsync(file));
        var files = await _archive.Files.ListAsync();

        var refused = await Assert.ThrowsAsync<ArchiveException>(() => _archive.ArchiveAsync());

        Assert.Contains(".json is of another log, or of a later state of this one: position 1 differs from the log in StreamId, EventId", refused.Message);
        Assert.Equal(files, await _archive.Files.ListAsync());
        Assert.Empty(await _archive.RangesAsync());
    }

    /// <summary>Two that wrote the same range before either could say so, of which one was of another log, or of an earlier version.</summary>
    [Fact]
    public async Task of_several_files_for_a_range_keeps_one_that_is_of_this_log()
    {
        await using var other = await ArchivedLog.CreateAsync("another");
        await other.AppendAsync(10);
        await other.ArchiveAsync();
        await _archive.AppendAsync(10);
        await FailAtTheRowAsync();
        var own = (await _archive.Files.ListAsync()).Keys.ToList();
        foreach (var file in (await other.Files.ListAsync()).Keys) await _archive.Files.WriteAsync(file, await other.Files.ReadAsync(file));

        await _archive.ArchiveAsync();

        Assert.Contains(Assert.Single(await _archive.RangesAsync()).File, own);
        Assert.Equal(await _archive.StoredAsync(10), await _archive.ReadAsync());
        Assert.Equal(2, (await _archive.Target.OthersAsync(await _archive.RangesAsync(), Wait.Token)).Count);
    }

    [Fact]
    public async Task stops_where_the_log_has_not_come_to_what_is_archived()
    {
        await _archive.AppendAsync(10);
        await FailAtTheRowAsync();
        await _archive.Database.TamperAsync("delete from log.mt_events where seq_id > 8");
        Assert.Contains("it reaches to position 10, and the log, as far as it is final, to 8", (await Assert.ThrowsAsync<ArchiveException>(() => _archive.ArchiveAsync())).Message);
    }

    [Fact]
    public async Task stops_where_what_was_archived_before_is_not_to_be_seen()
    {
        await _archive.AppendAsync(20);
        Assert.NotNull(await _archive.Archiver().NextAsync(Wait.Token));
        Directory.Move(_archive.Target.Place, _archive.Target.Place + "-not-mounted");

        var refused = await Assert.ThrowsAsync<ArchiveException>(() => _archive.ArchiveAsync());

        Assert.Contains(".json is missing, or not of this log, which is archived up to position 10: set Archive__Target to where that is", refused.Message);
        Assert.Empty(await _archive.Files.ListAsync());
    }

    [Fact]
    public async Task looks_at_the_archive_once_until_there_is_something_to_write()
    {
        await _archive.AppendAsync(15);
        var archiver = _archive.Archiver();
        Assert.NotNull(await archiver.NextAsync(Wait.Token));
        Assert.Null(await archiver.NextAsync(Wait.Token));
        Directory.Move(_archive.Target.Place, _archive.Target.Place + "-not-mounted");

        Assert.Null(await archiver.NextAsync(Wait.Token));

        await _archive.AppendAsync(5);
        await Assert.ThrowsAsync<ArchiveException>(() => archiver.NextAsync(Wait.Token));
    }

    [Fact]
    public async Task is_never_taken_back_and_no_range_overlaps_another()
    {
        await _archive.AppendAsync(10);
        await _archive.ArchiveAsync();
        foreach (var change in new[] { "update log.archived set last = 12", "delete from log.archived", "truncate log.archived" })
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => _archive.ExecuteAsync(change))).SqlState);
        foreach (var range in new[] { "10, 20", "1, 10", "5, 5" })
            Assert.Contains((await Assert.ThrowsAsync<PostgresException>(() => _archive.ExecuteAsync($"insert into log.archived (first, last, events, bytes, file, sha256) values ({range}, 0, 0, '', '')"))).SqlState,
                new[] { PostgresErrorCodes.ExclusionViolation, PostgresErrorCodes.UniqueViolation });
    }

    [Fact]
    public async Task goes_on_in_a_log_of_an_earlier_version()
    {
        await _archive.ExecuteAsync("drop table log.archived");
        Assert.True(await LogStore.CreateAsync(_archive.Database, Wait.Token));
        await _archive.AppendAsync(10);
        await _archive.ArchiveAsync();
        Assert.Single(await _archive.RangesAsync());
        await _archive.AssertWholeAsync();
    }

    /// <summary>Names and addresses are in the archive as they are in the log: nobody can read them but with a key that is elsewhere, and can be destroyed.</summary>
    [Fact]
    public async Task shows_nothing_personal_so_that_somebody_can_be_forgotten_there_too()
    {
        var id = Guid.NewGuid();
        await _archive.AppendAsync([Of(LogDatabase.Created("ada@example.org", "Ada")), Of(new AccountActivated(Now))]);
        await _archive.ArchiveAsync(_archive.Archiver(2));
        var before = await _archive.ReadAsync();
        Assert.DoesNotContain(before, e => e.Data!.Contains("ada", StringComparison.OrdinalIgnoreCase) || e.Data.Contains("argon2", StringComparison.Ordinal));
        Assert.Equal("ada@example.org", Opened(before[0], await KeyAsync(id)));

        await _archive.AppendAsync([Of(new AccountDeleted("ada@example.org", Now, Forgotten: true))]);
        await using (var connection = await _archive.Database.OpenConnectionAsync()) await PersonalKeys.DestroyAsync(connection, [id], Wait.Token);

        Assert.Equal(before, await _archive.ReadAsync());
        Assert.Equal("", Opened(before[0], await KeyAsync(id)));
        Assert.Equal(0L, await _archive.ScalarAsync<long>("select count(*) from keys.stream where key is not null"));

        NewEvent Of(object happened) => NewEvent.Of(id, expectedVersion: null, happened, Cause.None);
    }

    private static string Opened(StoredEvent e, byte[]? key) => System.Text.Json.JsonDocument.Parse(PersonalData.Open(EventTypes.Find(e.Type)!, e.StreamId, e.Data!, key)).RootElement.GetProperty("email").GetString()!;

    private async Task<byte[]?> KeyAsync(Guid id)
    {
        await using var command = _archive.Database.CreateCommand($"select key from keys.stream where id = '{id}'");
        return await command.ExecuteScalarAsync() as byte[];
    }

    /// <summary>Archives up to where the database is told, which refuses it.</summary>
    private async Task FailAtTheRowAsync()
    {
        await _archive.ExecuteAsync("create function fail() returns trigger language plpgsql as 'begin raise exception ''no row''; end'; create trigger fail before insert on log.archived for each row execute function fail()");
        await Assert.ThrowsAsync<PostgresException>(() => _archive.ArchiveAsync());
        await _archive.ExecuteAsync("drop trigger fail on log.archived");
        Assert.Empty(await _archive.RangesAsync());
    }

    /// <summary>A transaction that has appended so many, and is open.</summary>
    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
