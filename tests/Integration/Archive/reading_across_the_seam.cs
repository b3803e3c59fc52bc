using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.EventLog.Archive;
using Signup.Hosting;
using Signup.Query.Accounts;
using Signup.Query.Commands;
using Signup.Query.Inspection;
using Signup.Statistics;
using Signup.Tests.Fixture;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Archive;

/// <summary>What was asked before events were dropped from the table is asked again after, and nobody can tell the difference.</summary>
public sealed class reading_across_the_seam : IAsyncLifetime
{
    private static readonly DateTimeOffset Moment = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private ArchivedLog _archived = null!;
    private LogDatabase _log = null!;
    private List<Guid> _living = null!, _ended = null!;

    public async ValueTask InitializeAsync()
    {
        _archived = await ArchivedLog.CreateAsync();
        _log = _archived.Log;
        (_living, _ended) = await _archived.FillAsync();
    }

    public ValueTask DisposeAsync() => _archived.DisposeAsync();

    [Fact]
    public async Task gives_the_same_events_whatever_position_one_resumes_from()
    {
        var before = await _log.ReadAllAsync();
        var stored = await _log.ReadAllAsync(new LogReader(_log.Database, asStored: true));
        await _archived.CopyAndDropAsync();
        await _log.AppendAsync(_living[0], new AccountActivated(Moment));
        await _archived.RollBackOneAsync();
        await _log.AppendAsync(_living[1], new AccountActivated(Moment));

        var after = await _log.ReadAllAsync();
        Assert.Equal(before, after[..before.Count]);
        Assert.Equal(before.Count + 2, after.Count);
        Assert.Equal(stored, (await _log.ReadAllAsync(new LogReader(_log.Database, asStored: true)))[..stored.Count]);
        Assert.NotEqual(before, stored);
        for (var position = 0L; position <= after[^1].Position; position++)
            Assert.Equal(after.Where(e => e.Position > position), await _log.ReadAllAsync(after: position));
        // And in small steps, whose ends fall anywhere.
        var reader = new LogReader(_log.Database);
        foreach (var limit in new[] { 1, 2, 3, 5 })
        {
            var read = new List<LoggedEvent>();
            while (await reader.ReadAsync(read.Count > 0 ? read[^1].Position : 0, limit, CancellationToken.None) is { Count: > 0 } events) read.AddRange(events);
            Assert.Equal(after, read);
        }
    }

    [Fact]
    public async Task leaves_of_ended_accounts_nothing_in_the_table_and_of_others_all()
    {
        var before = await _log.ReadAllAsync();
        var output = await _archived.CopyAndDropAsync();
        Assert.Contains($"of {_ended.Count} ended accounts", output, StringComparison.Ordinal);
        Assert.Equal(0, await CountAsync(_ended));
        Assert.Equal(before.Count(e => _living.Contains(e.StreamId)), await CountAsync(_living));
        // Again, there is nothing more to drop.
        Assert.Contains("Dropped 0 events", await _archived.CopyAndDropAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task gives_the_same_past_of_every_account()
    {
        var moments = (await _log.ReadAllAsync()).Select(e => e.At).ToList();
        var before = await PastAsync();
        await _archived.CopyAndDropAsync();
        Assert.Equal(before, await PastAsync());

        async Task<List<string?>> PastAsync()
        {
            await using var connection = await _log.Database.OpenConnectionAsync();
            var past = new List<string?>();
            foreach (var id in _living.Concat(_ended).Append(Guid.NewGuid()))
            {
                past.AddRange((await History.ReadAsync(connection, id, long.MaxValue, CancellationToken.None)).Select(e => e.ToString()));
                for (var version = 1; version <= 6; version++) past.Add((await History.AtVersionAsync(connection, id, version, CancellationToken.None))?.ToJson());
                foreach (var at in moments) past.Add((await History.AtMomentAsync(connection, id, at, CancellationToken.None))?.ToJson());
            }
            for (var limit = 1; limit <= moments.Count + 1; limit += 4)
                past.AddRange((await History.ReadLatestAsync(connection, limit, CancellationToken.None)).Select(e => $"{limit} {e}"));
            return past;
        }
    }

    [Fact]
    public async Task gives_the_same_read_model_the_same_audit_and_the_same_statistics()
    {
        using (var follower = await _log.FollowAsync()) await _log.CaughtUpAsync(follower);
        var before = (await DocumentsAsync(), await StatisticsAsync());
        await _archived.CopyAndDropAsync();

        Assert.Empty(await _log.AuditAsync());
        await _log.ExecuteAsync("""delete from query.accounts; drop schema statistics cascade""");
        Assert.Equal(_living.Count + _ended.Count, (await _log.AuditAsync()).Count);
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var progress = new ProgressBar(output, false, TimeProvider.System, "events");
        await new Rebuild(_log.Database, new LogReader(_log.Database), progress).RunAsync(CancellationToken.None);
        var count = (await _log.ReadAllAsync()).Count;
        Assert.Contains($"0 of {count} events", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, (await DocumentsAsync(), await StatisticsAsync()));
        Assert.Empty(await _log.AuditAsync());
        // And mended from the archive, one by one.
        await _log.ExecuteAsync("delete from query.accounts");
        Assert.NotEmpty(await _log.AuditAsync(repair: true));
        Assert.Equal(before.Item1, await DocumentsAsync());
    }

    [Fact]
    public async Task gives_the_same_export_the_same_bisection_and_no_room_for_an_import()
    {
        var moments = (await _log.ReadAllAsync()).Select(e => e.At).ToList();
        var before = await AskAsync();
        await _archived.CopyAndDropAsync();
        Assert.Equal(before, await AskAsync());

        await _log.ExecuteAsync("delete from log.mt_events");
        await Assert.ThrowsAsync<InvalidOperationException>(() => new Import(_log.Database, LogDatabase.Quiet("events")).RunAsync(() => new StringReader(""), CancellationToken.None));

        async Task<string> AskAsync()
        {
            using var output = new StringWriter(CultureInfo.InvariantCulture);
            var export = new Export(_log.Database, new LogReader(_log.Database, asStored: true), LogDatabase.Quiet("events"));
            await export.WriteAsync(output, long.MaxValue, null, Disclosure.Everything, CancellationToken.None);
            await export.WriteAsync(output, long.MaxValue, _ended[0], Disclosure.Everything, CancellationToken.None);
            foreach (var moment in moments.Prepend(moments[0].AddDays(-1))) await output.WriteLineAsync($"{moment:O} {await export.PositionAtAsync(moment, CancellationToken.None)}");
            var found = await new Bisect(_log.Database, LogDatabase.Quiet("accounts")).RunAsync(Rule.Parse("status != deleted"), null, CancellationToken.None);
            await output.WriteLineAsync($"{found.First!.Event} {found.Broken} {found.Accounts} {found.Events}");
            return output.ToString();
        }
    }

    [Fact]
    public async Task decides_about_an_ended_account_as_before()
    {
        var before = await AccountsAsync();
        await _archived.CopyAndDropAsync();
        Assert.Equal(before.ConvertAll(a => a.Status is AccountStatus.Expired or AccountStatus.Deleted ? a with { Email = "" } : a), await AccountsAsync());
        await using var session = _log.Store.LightweightSession();
        Assert.Equal(Account.Nobody, await session.LoadAccountAsync(Guid.NewGuid(), CancellationToken.None));

        async Task<List<Account>> AccountsAsync()
        {
            await using var session = _log.Store.LightweightSession();
            var accounts = new List<Account>();
            foreach (var id in _living.Concat(_ended)) accounts.Add(await session.LoadAccountAsync(id, CancellationToken.None));
            return accounts;
        }
    }

    [Fact]
    public async Task joins_what_comes_late_to_a_dropped_stream()
    {
        await _archived.CopyAndDropAsync();
        var id = _ended[0];
        var versions = (await HistoryAsync()).Count;
        await _log.AppendAsync(id, new ActivationMailFailed("activation", "mailbox", Moment));

        Assert.Equal(Enumerable.Range(1, versions + 1).Select(v => (long)v), (await HistoryAsync()).Select(e => e.Version));
        await using (var session = _log.Store.LightweightSession())
        {
            var account = await session.LoadAccountAsync(id, CancellationToken.None);
            Assert.Equal((AccountStatus.Expired, versions + 1), (account.Status, account.Version));
        }
        // And that goes, too.
        var before = await _log.ReadAllAsync();
        Assert.Contains("Dropped 1 events of 1 ended accounts", await _archived.CopyAndDropAsync(), StringComparison.Ordinal);
        Assert.Equal(before, await _log.ReadAllAsync());
        Assert.Equal(versions + 1, (await HistoryAsync()).Count);
        var (exitCode, output) = await _archived.RunAsync("verify");
        Assert.True(exitCode == 0, output);

        async Task<IReadOnlyList<LoggedEvent>> HistoryAsync()
        {
            await using var connection = await _log.Database.OpenConnectionAsync();
            return await History.ReadAsync(connection, id, long.MaxValue, CancellationToken.None);
        }
    }

    [Fact]
    public async Task tells_a_new_consumer_how_far_it_is_behind()
    {
        await _archived.CopyAllAsync();
        var last = await new LogReader(_log.Database).LastPositionAsync(CancellationToken.None);
        Assert.Equal(0, (await _archived.RunAsync("drop", "--until", ArchivedLog.Later)).ExitCode);
        await _log.ExecuteAsync("delete from log.mt_events");
        var model = new Signup.Query.Projection.ReadModel(_log.Database);
        await model.EnsureAsync(CancellationToken.None);
        using var follower = new LogFollower<Signup.Query.Projection.ReadModel>(model, _log.Database, new LogReader(_log.Database), new WakeUp(), NullLogger<LogFollower<Signup.Query.Projection.ReadModel>>.Instance);
        var lag = await follower.MeasureAsync(CancellationToken.None);
        Assert.Equal(last, lag.Events);
        Assert.True(lag.Seconds > 0, "It has an age.");
    }

    [Fact]
    public async Task restores_every_row_as_it_was()
    {
        var before = await _archived.TableAsync();
        await _archived.CopyAndDropAsync();
        Assert.NotEqual(before, await _archived.TableAsync());
        await using var connection = await _log.Database.OpenConnectionAsync();
        await foreach (var e in LogArchive.ReadAllAsync(connection, CancellationToken.None))
        {
            await using var other = await _log.Database.OpenConnectionAsync();
            await using var insert = new NpgsqlCommand("""
                insert into log.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
                values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10) on conflict do nothing
                """, other);
            foreach (var value in new object?[] { e.Position, e.EventId, e.StreamId, e.Version, e.Data, e.Type, e.At, e.Tenant, e.DotNetType, e.IsArchived }) insert.Parameters.AddWithValue(value ?? DBNull.Value);
            await insert.ExecuteNonQueryAsync();
        }
        Assert.Equal(before, await _archived.TableAsync());
    }

    [Fact]
    public async Task goes_on_while_events_are_dropped()
    {
        await _archived.CopyAllAsync();
        var before = await _log.ReadAllAsync();
        using var stop = new CancellationTokenSource();
        var reads = 0;
        var reading = Task.WhenAll(Enumerable.Range(0, 3).Select(n => Task.Run(async () =>
        {
            await using var connection = await _log.Database.OpenConnectionAsync();
            while (!stop.IsCancellationRequested)
            {
                Assert.Equal(before, await _log.ReadAllAsync());
                foreach (var id in _ended) Assert.Equal(before.Where(e => e.StreamId == id), await History.ReadAsync(connection, id, long.MaxValue, CancellationToken.None));
                Assert.Equal(before, await History.ReadRangeAsync(connection, 0, before[^1].Position, 1_000, CancellationToken.None) is var all && all.Count == before.Count ? all : await RestAsync(connection, all));
                Interlocked.Increment(ref reads);
            }
        })));
        Assert.Equal(0, (await _archived.RunAsync("drop", "--until", ArchivedLog.Later)).ExitCode);
        var then = reads;
        await Wait.UntilAsync(() => Task.FromResult(reads > then + 3 || reading.IsFaulted), "they have read on");
        await stop.CancelAsync();
        await reading;
        Assert.Equal(0, await CountAsync(_ended));

        async Task<List<LoggedEvent>> RestAsync(NpgsqlConnection connection, IReadOnlyList<LoggedEvent> begun)
        {
            var all = begun.ToList();
            while (await History.ReadRangeAsync(connection, all[^1].Position, before[^1].Position, 1_000, CancellationToken.None) is { Count: > 0 } more) all.AddRange(more);
            return all;
        }
    }

    [Fact]
    public async Task begun_before_events_are_dropped_and_ended_after_sees_them_all()
    {
        await _archived.CopyAllAsync();
        var before = await _log.ReadAllAsync();
        var of = before.ToLookup(e => e.StreamId);
        await using var connection = await _log.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("set local idle_in_transaction_session_timeout = 0; lock table log.mt_events", connection)) await command.ExecuteNonQueryAsync();

        // Each comes as far as the table, and finds it locked.
        var end = before[^1].Position;
        var all = new LogReader(_log.Database).ReadAsync(0, 1, CancellationToken.None);
        var stream = AskAsync(c => History.ReadAsync(c, _ended[0], long.MaxValue, CancellationToken.None));
        var streams = AskAsync(c => History.ReadStreamsAsync(c, [.. _ended], end, CancellationToken.None));
        var range = AskAsync(c => History.ReadRangeAsync(c, 0, end, 1, CancellationToken.None));
        var latest = AskAsync(c => History.ReadLatestAsync(c, before.Count, CancellationToken.None));
        var account = Task.Run(async () =>
        {
            await using var session = _log.Store.LightweightSession();
            return await session.LoadAccountAsync(_ended[0], CancellationToken.None);
        });
        var export = new Export(_log.Database, new LogReader(_log.Database), LogDatabase.Quiet("events")).PositionAtAsync(before[5].At, CancellationToken.None);
        await Wait.UntilAsync(async () => await _log.ScalarAsync<long>("select count(*) from pg_locks where not granted and relation = 'log.mt_events'::regclass") == 7, "all wait for the table");
        await Signup.Archive.Commands.Drop.DropAsync(connection, end, CancellationToken.None);
        await transaction.CommitAsync();

        Assert.Equal(before[..1], await all);
        Assert.Equal(of[_ended[0]], await stream);
        Assert.Equal(before.Where(e => _ended.Contains(e.StreamId)).OrderBy(e => e.StreamId).ThenBy(e => e.Version), await streams);
        Assert.Equal(before[..1], await range);
        Assert.Equal(Enumerable.Reverse(before), await latest);
        Assert.Equal((AccountStatus.Expired, of[_ended[0]].Count()), ((await account).Status, (int)(await account).Version));
        Assert.Equal(before.Where(e => e.At <= before[5].At).Max(e => e.Position), await export);

        async Task<IReadOnlyList<LoggedEvent>> AskAsync(Func<NpgsqlConnection, Task<IReadOnlyList<LoggedEvent>>> ask)
        {
            await using var own = await _log.Database.OpenConnectionAsync();
            return await ask(own);
        }
    }

    private Task<long> CountAsync(List<Guid> ids) => _log.ScalarAsync<long>($"select count(*) from log.mt_events where stream_id in ({string.Join(',', ids.Select(i => $"'{i}'"))})");

    private Task<string> DocumentsAsync() => _log.ScalarAsync<string>("select string_agg(document::text, E'\\n' order by id) from query.accounts");

    private async Task<string> StatisticsAsync()
    {
        var projection = new DailyStatistics(_log.Database);
        using var follower = new LogFollower<DailyStatistics>(projection, _log.Database, new LogReader(_log.Database), new WakeUp(), NullLogger<LogFollower<DailyStatistics>>.Instance);
        await follower.StartAsync(CancellationToken.None);
        await Wait.UntilAsync(async () => (await follower.MeasureAsync(CancellationToken.None)).Events == 0, "all is counted");
        return await _log.ScalarAsync<string>("select string_agg(day || type || count, ', ' order by day, type) from statistics.day");
    }
}
