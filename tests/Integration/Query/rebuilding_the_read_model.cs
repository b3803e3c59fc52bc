using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Commands;
using Signup.Query.Commands;
using Signup.Query.Projection;

namespace Signup.Tests.Integration.Query;

public sealed class rebuilding_the_read_model : IAsyncLifetime
{
    private static readonly DateTimeOffset Later = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync() => _log = await LogDatabase.CreateAsync("rebuilding");
    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task replaces_documents_by_what_the_log_says()
    {
        using var follower = await _log.FollowAsync();
        for (var n = 0; n < 20; n++) await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"u{n}@example.org"), new AccountActivated(Later));
        await _log.CaughtUpAsync(follower);
        await _log.ExecuteAsync("""update query.accounts set document = document || '{"username":"of an older shape"}'""");

        var before = await TableAsync();
        var generation = await RebuildAsync();

        Assert.NotEqual(before, generation.Table);
        Assert.Equal(generation.Table, await TableAsync());
        Assert.Empty(await _log.AuditAsync());
        Assert.Equal([generation.Table], await TablesAsync());
        // And the follower has come along.
        var id = Guid.NewGuid();
        await _log.AppendAsync(id, LogDatabase.Created("after@example.org"));
        await _log.CaughtUpAsync(follower);
        Assert.Equal("pending", await _log.ScalarAsync<string>($"select status from query.accounts where id = '{id}'"));
    }

    [Fact]
    public async Task lets_reads_go_on_which_never_fail_and_never_go_back()
    {
        using var follower = await _log.FollowAsync();
        var watched = Guid.NewGuid();
        await _log.AppendAsync(watched, LogDatabase.Created("watched@example.org"));
        await _log.CaughtUpAsync(follower);
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            for (var n = 1; !stop.IsCancellationRequested; n++) await _log.AppendAsync(watched, new ActivationMailSent($"resend-{n}", Later));
        });
        var reads = 0;
        var reading = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            var seen = 0L;
            while (!stop.IsCancellationRequested)
            {
                var version = await _log.ScalarAsync<long>($"select version from query.accounts where id = '{watched}'");
                Assert.True(version >= seen, $"Version {version} was read after version {seen}.");
                seen = version;
                Interlocked.Increment(ref reads);
            }
        })));
        for (var n = 0; n < 5; n++) await RebuildAsync();
        await stop.CancelAsync();
        await writing;
        await reading;
        await _log.CaughtUpAsync(follower);

        Assert.True(reads > 100, $"Only {reads} reads.");
        Assert.Empty(await _log.AuditAsync());
    }

    [Fact]
    public async Task goes_on_where_a_killed_one_was()
    {
        for (var n = 0; n < 30; n++) await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"u{n}@example.org"));
        var model = _log.ReadModel();
        await model.EnsureAsync(Wait.Token);
        // What a rebuild has left that was killed behind its tenth event, whose table nobody could have filled a second time.
        await using (var connection = await _log.Database.OpenConnectionAsync())
        {
            var begun = await ReadModel.CreateGenerationAsync(connection, "building", Wait.Token);
            var events = await new LogReader(_log.Database).ReadAsync(0, 10, Wait.Token);
            await ReadModel.FoldAsync(connection, new LogReader(_log.Database), begun, events, Wait.Token);
            await ReadModel.ReachAsync(connection, begun, events[^1].Position, Wait.Token);
            await _log.ExecuteAsync($"alter table {begun.Table} add constraint only_new check (id not in ({string.Join(',', events.Select(e => $"'{e.StreamId}'"))})) not valid");
        }
        var progress = new Reports();
        await new RebuildReadModel(_log.Database, new LogReader(_log.Database), progress).RunAsync(Wait.Token);

        Assert.Equal(new Done(10, 30), progress.First);
        Assert.Empty(await _log.AuditAsync());
    }

    [Fact]
    public async Task begins_anew_where_the_killed_one_made_another_shape()
    {
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("a@example.org"));
        await _log.ReadModel().EnsureAsync(Wait.Token);
        await using (var connection = await _log.Database.OpenConnectionAsync())
            await ReadModel.CreateGenerationAsync(connection, "building", Wait.Token);
        await _log.ExecuteAsync("update query.generation set shape = shape - 1, position = 1 where state = 'building'");
        await RebuildAsync();
        Assert.Equal(1, await _log.ScalarAsync<long>("select count(*) from query.accounts"));
        Assert.Single(await TablesAsync());
    }

    [Fact]
    public async Task takes_in_before_the_swap_what_the_live_one_has_meanwhile()
    {
        using var follower = await _log.FollowAsync();
        for (var n = 0; n < 10; n++) await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"u{n}@example.org"));
        await _log.CaughtUpAsync(follower);
        await using var connection = await _log.Database.OpenConnectionAsync();
        var begun = await ReadModel.CreateGenerationAsync(connection, "building", Wait.Token);

        var swapped = await RebuildReadModel.SwapAsync(connection, new LogReader(_log.Database), begun, Wait.Token);

        Assert.Equal(await new LogReader(_log.Database).LastPositionAsync(Wait.Token), swapped.Position);
        Assert.Equal(10, await _log.ScalarAsync<long>("select count(*) from query.accounts"));
    }

    [Fact]
    public async Task two_at_once_are_refused()
    {
        await _log.ReadModel().EnsureAsync(Wait.Token);
        await using var connection = await _log.Database.OpenConnectionAsync();
        await using (var other = new Npgsql.NpgsqlCommand("select pg_advisory_lock(hashtextextended('signup.query.rebuild', 0))", connection)) await other.ExecuteScalarAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(RebuildAsync);
    }

    [Fact]
    public async Task finds_by_address_and_status_with_an_index()
    {
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("a@example.org"));
        await RebuildAsync();
        foreach (var column in new[] { "email", "status" })
            Assert.Contains($"Index Cond: ({column} = 'x'", await PlanAsync($"select document from query.accounts where {column} = 'x' order by id limit 100"), StringComparison.Ordinal);
    }

    private Task<Generation> RebuildAsync() => new RebuildReadModel(_log.Database, new LogReader(_log.Database), LogDatabase.Quiet).RunAsync(Wait.Token);

    private Task<string> TableAsync() => _log.ScalarAsync<string>("select 'query.accounts_' || id from query.generation where state = 'live'");

    private async Task<string[]> TablesAsync() => await _log.ScalarAsync<string[]>("select array_agg('query.' || tablename::text) from pg_tables where schemaname = 'query' and tablename like 'accounts%'");

    private async Task<string> PlanAsync(string sql)
    {
        await using var connection = await _log.Database.OpenConnectionAsync();
        // On a table of one row a scan would be right.
        await using var command = new Npgsql.NpgsqlCommand($"set enable_seqscan = off; set enable_sort = off; explain {sql}", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var plan = "";
        while (await reader.ReadAsync()) plan += reader.GetString(0) + "\n";
        return plan;
    }

    private sealed class Reports : IProgress<Done>
    {
        public Done? First { get; private set; }

        public void Report(Done value) => First ??= value;
    }
}
