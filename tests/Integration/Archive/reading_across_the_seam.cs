using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.EventLog.Archiving;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Query.Projection;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Archive;

/// <summary>Some events are in the log's table, others were dropped, and are in the archive: who reads them cannot tell.</summary>
public sealed class reading_across_the_seam : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private ArchivedLog _archive = null!;

    public async ValueTask InitializeAsync() => _archive = await ArchivedLog.CreateAsync("seam");
    public ValueTask DisposeAsync() => _archive.DisposeAsync();

    public enum Step { Append, RollBack, Archive, Drop, Restore, Read, BeginLate, CommitLate }

    /// <summary>Any ranges are dropped and put back while others are archived, and events are appended, rolled back, and committed late.</summary>
    [Property(MaxTest = 15)]
    public Property finds_the_events_of_the_log_alone_in_the_same_order_however_it_is_split()
    {
        var step = from what in Gen.Frequency((4, Gen.Constant(Step.Append)), (1, Gen.Constant(Step.RollBack)), (3, Gen.Constant(Step.Archive)), (4, Gen.Constant(Step.Drop)), (2, Gen.Constant(Step.Restore)),
                           (3, Gen.Constant(Step.Read)), (1, Gen.Constant(Step.BeginLate)), (2, Gen.Constant(Step.CommitLate)))
                   from count in Gen.Choose(1, 8)
                   select (what, count);
        return Prop.ForAll(step.ListOf().ToArbitrary(), steps => PlayAsync([.. steps]).GetAwaiter().GetResult());
    }

    private async Task PlayAsync((Step What, int Count)[] steps)
    {
        var (archiver, reader) = (_archive.Archiver(4), _archive.Log());
        var start = await reader.LastPositionAsync(Wait.Token);
        // What the log alone has, row by row, as it was while it was there.
        var alone = new SortedDictionary<long, string>();
        NpgsqlConnection? late = null;
        foreach (var (what, count) in steps)
        {
            switch (what)
            {
                case Step.Append: await _archive.AppendAsync(count); break;
                case Step.RollBack: await (await _archive.BegunAsync(count)).DisposeAsync(); break;
                case Step.Archive: await _archive.ArchiveAsync(archiver); break;
                case Step.Drop: await _archive.DropAsync(r => r.First > start && r.First / 4 % (count + 1) == 0); break;
                case Step.Restore: await _archive.RestoreAsync(r => r.First > start && r.First / 4 % (count + 1) == 0); break;
                case Step.Read:
                    var read = await reader.ReadAsync(start, 1_000, Wait.Token);
                    Assert.Equal(alone.Keys.Where(p => read.Count > 0 && p <= read[^1].Position), read.Where(IsNoAct).Select(e => e.Position));
                    break;
                case Step.BeginLate: late ??= await _archive.BegunAsync(count); break;
                case Step.CommitLate when late is not null: await ArchivedLog.CommitAsync(late); late = null; break;
            }
            await RememberAsync();
        }
        if (late is not null) await ArchivedLog.CommitAsync(late);
        await RememberAsync();
        var acrossTheSeam = await ReadAllAsync(_archive.Log(asStored: true), start);
        var afterAPart = await ReadAllAsync(reader, alone.Count == 0 ? start : alone.Keys.ElementAt(alone.Count / 2));

        await _archive.RestoreAsync(r => r.First > start);
        Assert.Equal(alone.Select(e => e.Value), (await RowsAsync(start)).Select(r => r.Row));
        var byTheLogAlone = await ReadAllAsync(new LogReader(_archive.Database, asStored: true), start);
        Assert.Equal(byTheLogAlone, acrossTheSeam);
        Assert.Equal(byTheLogAlone.Skip(alone.Count == 0 ? 0 : (alone.Count / 2) + 1).Select(e => e.EventId), afterAPart.Select(e => e.EventId));

        async Task RememberAsync()
        {
            foreach (var (position, row) in await RowsAsync(start)) alone[position] = row;
        }
    }

    [Fact]
    public async Task an_account_is_as_it_was_wherever_its_events_are()
    {
        var id = Guid.NewGuid();
        await _archive.AppendAsync([NewEvent.Of(id, 0, LogDatabase.Created("ada@example.org", "Ada"), Cause.By(Actors.Person)), NewEvent.Of(id, 1, new ActivationMailSent("activation", Now), Cause.None)]);
        await _archive.ArchiveAsync(_archive.Archiver(1));
        await _archive.AppendAsync([NewEvent.Of(id, 2, new AccountActivated(Now), Cause.None)]);
        var before = (await _archive.Log().ReadStreamsAsync([id], Wait.Token))[id].ToList();

        await _archive.DropAsync();

        Assert.Equal(1L, await _archive.ScalarAsync<long>("select count(*) from log.mt_events where type <> 'EventsDropped'"));
        var account = await _archive.Log().LoadAccountAsync(id, Wait.Token);
        Assert.Equal((AccountStatus.Active, "ada@example.org"), (account.Status, account.Email));
        Assert.Equal(before, (await _archive.Log().ReadStreamsAsync([id], Wait.Token))[id]);
        await using var connection = await _archive.Database.OpenConnectionAsync();
        Assert.Equal(before, await Signup.Query.Accounts.History.ReadAsync(_archive.Log(), connection, id, long.MaxValue, Wait.Token));
    }

    [Fact]
    public async Task a_verdict_is_still_known_by_the_event_that_was_proposed()
    {
        var e = NewEvent.Of(Guid.NewGuid(), 0, LogDatabase.Created("ada@example.org"), Cause.None);
        await _archive.AppendAsync([e]);
        await _archive.ArchiveAsync(_archive.Archiver(1));
        await _archive.DropAsync();
        await _archive.ExecuteAsync("create schema uniqueness; create table uniqueness.rejections (stream_id uuid, event_id uuid, name text, outcome text)");
        var verdict = await new Signup.Uniqueness.Verdicts(_archive.Database).FindAsync(e.StreamId, e.EventId, Wait.Token);
        Assert.Equal((Messages.Uniqueness.VerdictOutcome.Accepted, 1L, 1L), (verdict!.Outcome, verdict.Version, verdict.Position));
    }

    [Fact]
    public async Task who_is_forgotten_is_forgotten_there_too()
    {
        var id = Guid.NewGuid();
        await _archive.AppendAsync([NewEvent.Of(id, 0, LogDatabase.Created("ada@example.org", "Ada"), Cause.None), NewEvent.Of(id, 1, new AccountDeleted("ada@example.org", Now, Forgotten: true), Cause.None)]);
        await _archive.ArchiveAsync(_archive.Archiver(2));
        await _archive.DropAsync();
        await using (var connection = await _archive.Database.OpenConnectionAsync()) await PersonalKeys.DestroyAsync(connection, [id], Wait.Token);
        Assert.Equal("", ((AccountCreated)EventTypes.Read((await _archive.Log().ReadAsync(0, 1, Wait.Token))[0])!).Email);
    }

    /// <summary>Behind the end of the log, too: where all of it is dropped, the next event still comes behind.</summary>
    [Fact]
    public async Task the_log_goes_on_where_all_of_it_was_dropped()
    {
        await (await _archive.BegunAsync(5)).DisposeAsync();
        await _archive.AppendAsync(20);
        await _archive.ArchiveAsync(_archive.Archiver(5));
        await _archive.DropAsync();
        await _archive.Database.TamperAsync("delete from log.mt_events");
        Assert.Equal(25, await _archive.Log().LastPositionAsync(Wait.Token));
        Assert.Equal(20, (await ReadAllAsync(_archive.Log())).Count);
        await _archive.AppendAsync(1);
        Assert.Equal(21, (await ReadAllAsync(_archive.Log())).Count);
    }

    [Theory]
    [InlineData("missing", "^ is missing, which holds positions 11 to 20 of the log. Put it back from a copy; where the whole archive has moved, set Archive__Target to where it is.")]
    [InlineData("truncated", "^ is not what was written: it was cut off, and has 100 of its ")]
    [InlineData("altered", "^ is not what was written: its SHA-256 is ")]
    [InlineData("foreign", "^ is not what was written: it")]
    public async Task a_reader_stops_before_what_it_cannot_find_and_names_the_file(string damage, string said)
    {
        await _archive.AppendAsync(30);
        await _archive.ArchiveAsync();
        await _archive.DropAsync();
        var ranges = await _archive.RangesAsync();
        var (reader, file) = (_archive.Log(), _archive.Target.PathOf(ranges[1].File));
        // What was read once is not taken for granted.
        Assert.Equal(30, (await reader.ReadAsync(0, 30, Wait.Token)).Count);
        var bytes = await _archive.Files.DamageAsync(ranges[1].File, damage, ranges[2].File);
        foreach (var who in new[] { _archive.Log(), new LogReader(_archive.Database, new LogArchive(_archive.Database, _archive.Target)) })
        {
            Assert.Equal(10, (await who.ReadAsync(0, 30, Wait.Token)).Count);
            foreach (var after in new[] { 10L, 15 })
                Assert.StartsWith(said.Replace("^", file, StringComparison.Ordinal), (await Assert.ThrowsAsync<ArchiveException>(() => who.ReadAsync(after, 30, Wait.Token))).Message);
            Assert.Equal(11, (await who.ReadAsync(20, 11, Wait.Token)).Count);
        }
        await _archive.Files.WriteAsync(ranges[1].File, bytes);
        Assert.Equal(30, (await reader.ReadAsync(0, 30, Wait.Token)).Count);
    }

    [Fact]
    public async Task a_follower_stops_there_says_why_and_goes_on_once_the_file_is_back()
    {
        await _archive.AppendAsync(30);
        await _archive.ArchiveAsync();
        await _archive.DropAsync();
        var file = _archive.Target.PathOf((await _archive.RangesAsync())[1].File);
        File.Move(file, $"{file}.away");
        var model = new ReadModel(_archive.Database, _archive.Log());
        using var follower = new LogFollower<ReadModel>(model, _archive.Database, _archive.Log(), new WakeUp(), NullLogger<LogFollower<ReadModel>>.Instance);
        var check = new ProjectionLag<ReadModel>(follower, model, new EndpointIdentity("test"));
        await follower.StartAsync(CancellationToken.None);
        try
        {
            await Wait.UntilAsync(async () => await SaysAsync() is { Status: HealthStatus.Unhealthy, Description: { } why } && why.StartsWith($"{file} is missing", StringComparison.Ordinal), "it says so");
            Assert.Equal(10, (await follower.MeasureAsync(Wait.Token)).Position);

            File.Move($"{file}.away", file);

            await Wait.UntilAsync(async () => (await follower.MeasureAsync(Wait.Token)).Events == 0, "it has gone on");
            Assert.Equal(HealthStatus.Healthy, (await SaysAsync()).Status);
            Assert.Equal(30L, await _archive.ScalarAsync<long>("select count(*) from query.accounts"));
        }
        finally
        {
            await follower.StopAsync(CancellationToken.None);
        }

        Task<HealthCheckResult> SaysAsync() => check.CheckHealthAsync(new HealthCheckContext(), Wait.Token);
    }

    [Fact]
    public async Task who_was_not_told_where_the_archive_is_is_told_what_to_do()
    {
        await _archive.AppendAsync(10);
        await _archive.ArchiveAsync();
        await _archive.DropAsync();
        Assert.Equal("What the event at position 1 says was dropped from the log, and is in its archive: set Archive__Target to where that is, for whoever reads the log.",
            (await Assert.ThrowsAsync<ArchiveException>(() => new LogReader(_archive.Database).ReadAsync(0, 10, Wait.Token))).Message);
    }

    /// <summary>Its checksum is right, since it is in the row, too: somebody has archived another log to there, and changed the table.</summary>
    [Fact]
    public async Task an_event_that_is_another_one_in_the_archive_is_not_taken_for_it()
    {
        await _archive.AppendAsync(10);
        await _archive.ArchiveAsync();
        await _archive.DropAsync();
        await _archive.Database.TamperAsync("update log.dropped set id = gen_random_uuid() where seq_id = 4");
        Assert.Equal(3, (await _archive.Log().ReadAsync(0, 10, Wait.Token)).Count);
        Assert.Contains(".parquet is not what was written: it has another event than ", (await Assert.ThrowsAsync<ArchiveException>(() => _archive.Log().ReadAsync(3, 10, Wait.Token))).Message);
    }

    private async Task<List<LoggedEvent>> ReadAllAsync(LogReader reader, long after = 0)
    {
        var events = new List<LoggedEvent>();
        await Wait.UntilAsync(async () =>
        {
            events.AddRange(await reader.ReadAsync(events.Count > 0 ? events[^1].Position : after, 7, Wait.Token));
            return (events.Count > 0 ? events[^1].Position : after) >= await reader.LastPositionAsync(Wait.Token);
        }, "the reader is at the end of the log");
        return events.FindAll(IsNoAct);
    }

    /// <summary>What is appended by dropping and putting back is not what this is about.</summary>
    private static bool IsNoAct(LoggedEvent e) => e.StreamId != Signup.Archive.DroppedRanges.Stream;

    /// <summary>All of each row that is in the log's table.</summary>
    private async Task<List<(long Position, string Row)>> RowsAsync(long after)
    {
        await using var command = _archive.Database.CreateCommand($"select seq_id, e::text from log.mt_events e where stream_id <> '{Signup.Archive.DroppedRanges.Stream}' and seq_id > {after} order by seq_id");
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<(long, string)>();
        while (await reader.ReadAsync()) rows.Add((reader.GetInt64(0), reader.GetString(1)));
        return rows;
    }
}
