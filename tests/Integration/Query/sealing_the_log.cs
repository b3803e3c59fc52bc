using System.Globalization;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Query.Commands;

namespace Signup.Tests.Integration.Query;

public sealed class sealing_the_log : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync() => _log = await LogDatabase.CreateAsync("sealing");

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    [Fact]
    public async Task of_an_earlier_version_hides_what_it_says_and_changes_nothing_of_it()
    {
        var ids = Enumerable.Range(0, 6_000).Select(_ => Guid.NewGuid()).ToArray();
        await OldAsync(ids, "ada@example.org", "Ada");
        var before = await PlainAsync();
        Assert.Equal((12_000, true), (before.Count, await ShowsAsync("ada@example.org")));

        Assert.True(await LogStore.CreateAsync(_log.Database, Wait.Token));

        Assert.False(await ShowsAsync("ada@") || await ShowsAsync("\"Ada\"") || await ShowsAsync("$argon2"));
        Assert.Equal(before, (await _log.ReadAllAsync()).Select(e => (e.Position, e.StreamId, e.Version, e.EventId, e.Type, Comparable(e.Data), e.At)));
        Assert.Equal(6_000L, await _log.ScalarAsync<long>("select count(distinct key) from keys.stream"));
        Assert.Equal(1L, await _log.ScalarAsync<long>("select count(distinct data #>> '{email,hash}') from log.mt_events where type = 'AccountCreated'"));
        // It is as append-only as it was, and a second start finds nothing to do.
        await Assert.ThrowsAsync<PostgresException>(() => _log.ExecuteAsync("update log.mt_events set data = data"));
        var stored = await _log.ScalarAsync<string>("select md5(string_agg(data::text, '' order by seq_id)) from log.mt_events");
        Assert.True(await LogStore.CreateAsync(_log.Database, Wait.Token));
        Assert.Equal(stored, await _log.ScalarAsync<string>("select md5(string_agg(data::text, '' order by seq_id)) from log.mt_events"));
    }

    [Fact]
    public async Task of_an_earlier_version_somebody_can_be_forgotten_who_was_there_then()
    {
        var id = Guid.NewGuid();
        await OldAsync([id], "ada@example.org", "Ada");
        await LogStore.CreateAsync(_log.Database, Wait.Token);
        await _log.AppendAsync(id, new AccountDeleted("ada@example.org", Now, Forgotten: true));
        Assert.Equal(new AccountCreated("", "", "", "en", Now), EventTypes.Read((await _log.ReadAllAsync())[0]));
    }

    [Theory, InlineData("drop schema keys cascade", "does not seal what is personal in it"), InlineData("drop table log.archived", "lacks the table of what is archived"), InlineData("drop view log.events; drop table log.dropped", "keeps all events in one table")]
    public async Task that_belongs_to_another_role_is_for_that_one_to_do(string makeOld, string said)
    {
        var parts = await Parts.CreateAsync("sealed");
        await using var owner = LogStore.Connect(parts.PostgresOwner);
        await using var endpoint = LogStore.Connect(parts.Postgres);
        await AppendOnly.MigrateAsync(owner, RoleOf(parts.Postgres), Wait.Token);
        var id = Guid.NewGuid();
        await using (var connection = await owner.OpenConnectionAsync())
        {
            if (makeOld.Contains("keys", StringComparison.Ordinal)) await LogDatabase.AppendAsync(connection, id, ("AccountCreated", """{"username":"Ada","email":"ada@example.org","passwordHash":"x","language":"en","createdAt":"2026-11-24T10:00:00+00:00"}"""));
            else await Appending.AppendAsync(connection, [NewEvent.Of(id, 0, LogDatabase.Created("ada@example.org"), Cause.None)], Wait.Token);
            await using var old = new NpgsqlCommand(makeOld, connection);
            await old.ExecuteNonQueryAsync();
        }

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => LogStore.CreateAsync(endpoint, Wait.Token));
        Assert.Contains($"{said}, and belongs to another role: run './run Uniqueness migrate' once", refused.Message, StringComparison.Ordinal);
        await AppendOnly.MigrateAsync(owner, RoleOf(parts.Postgres), Wait.Token);

        Assert.True(await LogStore.CreateAsync(endpoint, Wait.Token));
        await using (var connection = await endpoint.OpenConnectionAsync())
            await Appending.AppendAsync(connection, [NewEvent.Of(id, 1, new AccountDeleted("ada@example.org", Now, Forgotten: true), Cause.None)], Wait.Token);
        Assert.Equal(["", ""], (await endpoint.EventsAsync()).Select(e => (string)System.Text.Json.Nodes.JsonNode.Parse(e.Data)!["email"]!));

        static string RoleOf(string connection) => new NpgsqlConnectionStringBuilder(connection).Username!;
    }

    [Fact]
    public async Task nothing_personal_is_appended_about_somebody_who_was_forgotten()
    {
        var id = Guid.NewGuid();
        await _log.AppendAsync(id, LogDatabase.Created("ada@example.org"), new AccountActivated(Now), new AccountDeleted("ada@example.org", Now, Forgotten: true));
        await Assert.ThrowsAsync<StreamMovedOnException>(() => _log.AppendAsync(id, new UsernameChanged("Ada", "Eve", Now)));
        // What says nothing of them is.
        await _log.AppendAsync(id, new MailSent("account-deleted-3", Now));
        await DestroyAsync(id);
        await Assert.ThrowsAsync<StreamMovedOnException>(() => _log.AppendAsync(id, new UsernameChanged("Ada", "Eve", Now)));
        Assert.Equal([1, 2, 3, 4], (await _log.ReadAllAsync()).Select(e => e.Version));
    }

    [Fact]
    public async Task a_key_is_destroyed_only_where_it_is_leaving_and_until_then_opens_the_last_mail_alone()
    {
        var (gone, here) = (Guid.NewGuid(), Guid.NewGuid());
        var log = new LogReader(_log.Database);
        await _log.AppendAsync(gone, LogDatabase.Created("ada@example.org"), new AccountDeleted("ada@example.org", Now, Forgotten: true));
        await _log.AppendAsync(here, LogDatabase.Created("eva@example.org"), new AccountDeleted("eva@example.org", Now));
        Assert.Equal(("", "ada@example.org"), (await EmailAsync(gone, forTheLastMail: false), await EmailAsync(gone, forTheLastMail: true)));

        await DestroyAsync(gone, here);

        Assert.Equal(("", ""), (await EmailAsync(gone, forTheLastMail: false), await EmailAsync(gone, forTheLastMail: true)));
        Assert.Equal("eva@example.org", await EmailAsync(here, forTheLastMail: false));

        async Task<string> EmailAsync(Guid id, bool forTheLastMail) =>
            ((AccountCreated)EventTypes.Read((await log.ReadStreamsAsync([id], Wait.Token, forTheLastMail))[id].First())!).Email;
    }

    /// <summary>What was forgotten has a row without a key. A row that is not there was lost, as by a backup without the schema.</summary>
    [Fact]
    public async Task a_reader_stops_where_a_key_is_lost_and_says_which()
    {
        var id = Guid.NewGuid();
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("ada@example.org"));
        await _log.AppendAsync(id, LogDatabase.Created("eva@example.org"));
        await _log.ExecuteAsync($"delete from keys.stream where id = '{id}'");
        var log = new LogReader(_log.Database);
        Assert.Single(await log.ReadAsync(0, 100, Wait.Token));
        var fault = await Assert.ThrowsAsync<InvalidDataException>(() => log.ReadAsync(1, 100, Wait.Token));
        Assert.Contains($"AccountCreated at position 2, of {id}, is missing from the table keys.stream", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Else new keys would stand where the old ones belong.</summary>
    [Fact]
    public async Task of_which_all_keys_are_lost_no_process_starts_and_makes_new_ones()
    {
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("ada@example.org"));
        await _log.ExecuteAsync("alter schema keys rename to lost");
        Assert.Contains("'keys', which has its keys, is missing", (await Assert.ThrowsAsync<InvalidOperationException>(() => LogStore.CreateAsync(_log.Database, Wait.Token))).Message, StringComparison.Ordinal);
        await _log.ExecuteAsync("alter schema lost rename to keys");
        Assert.True(await LogStore.CreateAsync(_log.Database, Wait.Token));
        Assert.Equal("ada@example.org", Assert.IsType<AccountCreated>(EventTypes.Read((await _log.ReadAllAsync())[0])).Email);
    }

    [Fact]
    public async Task an_export_is_open_and_an_import_seals_it_again()
    {
        var (ada, eva) = (Guid.NewGuid(), Guid.NewGuid());
        await _log.AppendAsync(ada, LogDatabase.Created("ada@example.org", "Ada"), new EmailChangeRequested("ada@new.example", Now, Now, Unreserved: true));
        await _log.AppendAsync(eva, LogDatabase.Created("eva@example.org", "Eva"), new AccountDeleted("eva@example.org", Now, Forgotten: true));
        await using var other = await LogDatabase.CreateAsync("opened");
        foreach (var disclosure in new[] { Disclosure.Anonymous, Disclosure.WithoutSecrets, Disclosure.Everything })
        {
            using var output = new StringWriter(CultureInfo.InvariantCulture);
            await new Export(_log.Database, new LogReader(_log.Database, asStored: true), LogDatabase.Quiet).WriteAsync(output, long.MaxValue, null, disclosure, Wait.Token);
            Assert.DoesNotContain("eva@", output.ToString(), StringComparison.Ordinal);
            Assert.Equal(disclosure != Disclosure.Anonymous, output.ToString().Contains("ada@example.org", StringComparison.Ordinal));
            if (disclosure == Disclosure.Anonymous) continue;

            await other.Database.TamperAsync("delete from log.mt_events; grant delete on log.mt_streams to current_user; delete from log.mt_streams; truncate keys.stream");
            await new Import(other.Database, LogDatabase.Quiet).RunAsync(() => new StringReader(output.ToString()), Wait.Token);
            Assert.Equal(0L, await other.ScalarAsync<long>("select count(*) from log.mt_events where data::text ilike '%ada@%'"));
            var events = (await other.ReadAllAsync()).Select(EventTypes.Read).ToList();
            Assert.Equal(new EmailChangeRequested("ada@new.example", Now, Now, Unreserved: true), events[1]);
            Assert.Equal(("Ada", "ada@example.org", ""), (Assert.IsType<AccountCreated>(events[0]).Username, ((AccountCreated)events[0]!).Email, Assert.IsType<AccountDeleted>(events[3]).Email));
            // Who was forgotten is.
            Assert.True(await other.ScalarAsync<bool>($"select leaving from keys.stream where id = '{eva}'"));
        }
    }

    private async Task DestroyAsync(params Guid[] streams)
    {
        await using var connection = await _log.Database.OpenConnectionAsync();
        await PersonalKeys.DestroyAsync(connection, streams, Wait.Token);
    }

    /// <summary>A log as it was before anything was sealed.</summary>
    private async Task OldAsync(Guid[] ids, string email, string username)
    {
        await using (var connection = await _log.Database.OpenConnectionAsync())
        {
            await using var append = new NpgsqlCommand("""
                insert into log.mt_streams (id, version) select unnest($1), 2;
                """, connection) { Parameters = { new() { Value = ids } } };
            await append.ExecuteNonQueryAsync();
            await using var events = new NpgsqlCommand("""
                insert into log.mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type)
                select nextval('log.mt_events_sequence'), gen_random_uuid(), s.id, v, case v when 1 then $2::jsonb else '{"activatedAt":"2026-11-24T10:00:00+00:00"}' end, case v when 1 then 'AccountCreated' else 'AccountActivated' end, now(), ''
                from unnest($1) s (id) cross join generate_series(1, 2) v
                """, connection);
            events.Parameters.Add(new() { Value = ids });
            events.Parameters.Add(new() { Value = $$"""{"username":"{{username}}","email":"{{email}}","passwordHash":"$argon2id$x","language":"en","createdAt":"2026-11-24T10:00:00+00:00"}""" });
            await events.ExecuteNonQueryAsync();
        }
        await _log.ExecuteAsync("drop schema keys cascade");
    }

    private async Task<List<(long, Guid, long, Guid, string, string, DateTimeOffset)>> PlainAsync()
    {
        await using var command = _log.Database.CreateCommand("select seq_id, stream_id, version, id, type, data::text, timestamp from log.mt_events order by seq_id");
        await using var reader = await command.ExecuteReaderAsync();
        var events = new List<(long, Guid, long, Guid, string, string, DateTimeOffset)>();
        while (await reader.ReadAsync())
            events.Add((reader.GetInt64(0), reader.GetGuid(1), reader.GetInt64(2), reader.GetGuid(3), reader.GetString(4), Comparable(reader.GetString(5)), reader.GetFieldValue<DateTimeOffset>(6)));
        return events;
    }

    /// <summary>Whatever order and spaces the database gives it.</summary>
    private static string Comparable(string json) => string.Join('|', System.Text.Json.Nodes.JsonNode.Parse(json)!.AsObject().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={p.Value}"));

    private Task<bool> ShowsAsync(string text) => _log.ScalarAsync<bool>($"select exists (select from log.mt_events where data::text ilike '%{text}%')");
}
