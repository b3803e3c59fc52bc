using Signup.EventLog;
using Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Query;

public sealed class appending_to_the_log : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 11, 27, 10, 0, 0, TimeSpan.Zero);

    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync() => _log = await LogDatabase.CreateAsync("appending");

    public async ValueTask DisposeAsync() => await _log.DisposeAsync();

    [Fact]
    public async Task writes_what_Marten_writes_and_Marten_reads_it()
    {
        object[] facts = [LogDatabase.Created("ada@example.org"), new ActivationMailSent("activation", Now), new AccountActivated(Now)];
        var (theirs, ours) = (Guid.NewGuid(), Guid.NewGuid());
        await using (var session = _log.Store.LightweightSession())
        {
            session.Events.StartStream(theirs, facts[0], facts[1]);
            await session.SaveChangesAsync(Wait.Token);
            session.Events.Append(theirs, facts[2]);
            await session.SaveChangesAsync(Wait.Token);
        }
        await AppendAsync(Of(ours, 0, facts[0]), Of(ours, 1, facts[1]));
        await AppendAsync(Of(ours, 2, facts[2]));

        Assert.Equal(await RowsAsync(theirs), await RowsAsync(ours));
        await using var reader = _log.Store.QuerySession();
        // It has no keys.
        facts[0] = LogDatabase.Created("", "") with { PasswordHash = "" };
        Assert.Equal(facts, (await reader.Events.FetchStreamAsync(ours, token: Wait.Token)).Select(e => e.Data));
        Assert.Equal(3, (await reader.Events.FetchStreamStateAsync(ours, Wait.Token))!.Version);
    }

    [Fact]
    public async Task gives_each_stream_its_versions_and_all_together_their_order()
    {
        var (a, b, c) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await AppendAsync(Of(b, 0, LogDatabase.Created("b@example.org")));

        var positions = await AppendAsync(
            Of(c, 0, LogDatabase.Created("c@example.org")), Of(b, null, new ActivationMailSent("activation", Now)), Of(a, null, LogDatabase.Created("a@example.org")),
            Of(b, 2, new AccountActivated(Now)), Of(a, 1, new AccountActivated(Now)));

        var events = await _log.ReadAllAsync(after: positions[0] - 1);
        Assert.Equal(positions, events.Select(e => e.Position));
        Assert.Equal([(c, 1), (b, 2), (a, 1), (b, 3), (a, 2)], events.Select(e => (e.StreamId, e.Version)));
    }

    [Theory, InlineData(2, 0), InlineData(2, 1), InlineData(2, 3), InlineData(0, 1)]
    public async Task to_a_stream_that_is_not_as_expected_fails_and_takes_the_rest_with_it(int there, long expected)
    {
        var (stream, other) = (Guid.NewGuid(), Guid.NewGuid());
        if (there > 0) await AppendAsync(Of(stream, 0, LogDatabase.Created("ada@example.org")), Of(stream, 1, new ActivationMailSent("activation", Now)));

        var fault = await Assert.ThrowsAsync<StreamMovedOnException>(() => AppendAsync(Of(other, 0, LogDatabase.Created("o@example.org")), Of(stream, expected, new AccountActivated(Now))));

        Assert.Equal(stream, fault.StreamId);
        Assert.Equal(there, await _log.ScalarAsync<long>("select count(*) from log.mt_events"));
        Assert.Equal(there, await _log.ScalarAsync<long>("select coalesce(sum(version), 0)::bigint from log.mt_streams"));
    }

    [Fact]
    public async Task many_at_once_to_the_same_streams_wait_for_each_other()
    {
        Guid[] streams = [.. Enumerable.Range(0, 20).Select(_ => Guid.NewGuid())];

        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(async () =>
        {
            for (var round = 0; round < 10; round++)
                await AppendAsync([.. (n % 2 == 0 ? streams : streams.Reverse()).Select(s => Of(s, null, new ActivationMailSent("activation", Now)))]);
        })));

        Assert.Equal(streams.Length, await _log.ScalarAsync<long>("select count(*) from (select from log.mt_events group by stream_id having count(*) = 80 and max(version) = 80) s"));
    }

    [Fact]
    public async Task an_event_s_cause_goes_with_it()
    {
        var cause = new Cause("message", "conversation", "correlation", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        var positions = await AppendAsync(NewEvent.Of(Guid.NewGuid(), 0, LogDatabase.Created("ada@example.org"), cause), Of(Guid.NewGuid(), 0, LogDatabase.Created("eve@example.org")));

        Assert.Equal([cause, Cause.None], (await _log.ReadAllAsync(after: positions[0] - 1)).Select(e => e.Cause));
    }

    [Fact]
    public async Task needs_tables_that_are_made_once_however_many_processes_make_them()
    {
        await using var empty = LogStore.Connect((await Parts.CreateAsync("empty")).Postgres);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => LogStore.CreateAsync(empty, Wait.Token))));

        await using var connection = await empty.OpenConnectionAsync();
        Assert.Single(await Appending.AppendAsync(connection, [Of(Guid.NewGuid(), 0, LogDatabase.Created("ada@example.org"))], Wait.Token));
    }

    [Fact]
    public async Task to_a_log_of_an_earlier_version_finds_there_what_that_lacked()
    {
        await _log.ExecuteAsync("drop view log.events; drop table log.dropped; alter table log.mt_events drop column headers");

        await LogStore.CreateAsync(_log.Database, Wait.Token);

        await AppendAsync(Of(Guid.NewGuid(), 0, LogDatabase.Created("ada@example.org")));
        Assert.Single(await _log.ReadAllAsync());
    }

    private static NewEvent Of(Guid stream, long? expectedVersion, object happened) => NewEvent.Of(stream, expectedVersion, happened, Cause.None);

    private async Task<long[]> AppendAsync(params NewEvent[] events)
    {
        await using var connection = await _log.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var positions = await Appending.AppendAsync(connection, events, Wait.Token);
        await transaction.CommitAsync();
        return positions;
    }

    /// <summary>All columns of a stream and its events, but for what tells them apart, and what is sealed; of times only that they are of now, by the clock of UTC.</summary>
    private async Task<string> RowsAsync(Guid stream) => await _log.ScalarAsync<string>($"""
        select jsonb_pretty(jsonb_build_object(
            'stream', (select to_jsonb(s) - 'id' - 'timestamp' - 'created' || jsonb_build_object('now', abs(extract(epoch from now() - s.timestamp)) < 60 and abs(extract(epoch from now() - s.created)) < 60) from log.mt_streams s where id = '{stream}'),
            'events', (select jsonb_agg(to_jsonb(e) - 'id' - 'seq_id' - 'stream_id' - 'timestamp' - 'headers' #- array['data', 'username'] #- array['data', 'email'] #- array['data', 'passwordHash']
                                        || jsonb_build_object('now', abs(extract(epoch from now() - e.timestamp)) < 60) order by version) from log.mt_events e where stream_id = '{stream}')))
        """);
}
