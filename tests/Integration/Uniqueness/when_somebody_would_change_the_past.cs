using Npgsql;
using Signup.EventLog;
using Signup.Messages.Uniqueness;
using Signup.Tests.Integration.Query;
using static Signup.Tests.Integration.Uniqueness.UniquenessPair;

namespace Signup.Tests.Integration.Uniqueness;

public sealed class when_somebody_would_change_the_past : IAsyncLifetime
{
    private LogDatabase _log = null!;

    public async ValueTask InitializeAsync()
    {
        _log = await LogDatabase.CreateAsync("past");
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("ada@example.org"));
    }

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    public static TheoryData<string> Changes =>
    [
        "update log.mt_events set data = '{}'", "update log.mt_events set seq_id = seq_id + 1000", "delete from log.mt_events", "truncate log.mt_events",
        "delete from log.mt_streams", "truncate log.mt_streams cascade", "with gone as (delete from log.mt_events returning 1) select count(*) from gone",
        "update log.archived set last = last + 1", "delete from log.archived", "truncate log.archived",
    ];

    [Theory, MemberData(nameof(Changes))]
    public Task the_database_refuses_it(string change) => RefusedAsync(_log.Database, change);

    [Fact]
    public async Task it_refuses_it_from_the_next_start_on_in_a_log_of_an_earlier_version()
    {
        await _log.ExecuteAsync("grant all on log.mt_events, log.mt_streams to current_user; update log.mt_events set data = data");

        Assert.True(await LogStore.CreateAsync(_log.Database, Wait.Token));

        await RefusedAsync(_log.Database, "update log.mt_events set data = data");
        await RefusedAsync(_log.Database, "delete from log.mt_streams");
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("eva@example.org"));
    }

    /// <summary>A superuser could; as one that was granted it by somebody else.</summary>
    [Fact]
    public async Task a_process_that_could_says_so_at_its_start()
    {
        await using var system = await SignupSystem.StartAsync("could", null, "Uniqueness");
        Assert.Empty(system["Uniqueness"].LogLines("may change and delete events"));
        await using (var grant = system.Database.CreateCommand("grant delete on log.mt_events to public")) await grant.ExecuteNonQueryAsync();

        var next = system.Add("Uniqueness");
        await next.StartAsync();

        Assert.Single(next.LogLines("may change and delete events"));
    }

    [Fact]
    public async Task a_log_that_another_role_has_made_is_appended_to_and_cannot_be_opened_up()
    {
        var parts = await Parts.CreateAsync("owned");
        await using var owner = LogStore.Connect(parts.PostgresOwner);
        await using var endpoint = LogStore.Connect(parts.Postgres);

        await AppendOnly.MigrateAsync(owner, RoleOf(parts.Postgres), Wait.Token);
        await AppendOnly.MigrateAsync(owner, RoleOf(parts.Postgres), Wait.Token);

        Assert.True(await LogStore.CreateAsync(endpoint, Wait.Token));
        await using (var connection = await endpoint.OpenConnectionAsync())
            await Appending.AppendAsync(connection, [NewEvent.Of(Guid.NewGuid(), 0, LogDatabase.Created("ada@example.org"), Cause.None)], Wait.Token);
        await using (var archived = endpoint.CreateCommand("insert into log.archived (first, last, events, bytes, file, sha256) values (1, 10, 1, 100, 'f', 's')")) await archived.ExecuteNonQueryAsync();
        foreach (var change in Changes.Select(c => c.Data)) await RefusedAsync(endpoint, change);
        await RefusedAsync(endpoint, "alter table log.mt_events disable trigger all");
        await RefusedAsync(endpoint, "drop table log.mt_events cascade");
        await RefusedAsync(endpoint, "grant update on log.mt_events to current_user; update log.mt_events set data = data");
        // Nor does its owner, by a slip.
        await RefusedAsync(owner, "update log.mt_events set data = data");
    }

    [Fact]
    public async Task a_log_in_use_can_be_given_to_another_role_and_all_goes_on()
    {
        await using var system = await SignupSystem.StartAsync("given", new Dictionary<string, string> { ["Signup__PublicUrl"] = "http://127.0.0.1:1" }, "Uniqueness", "Accounts", "Mail", "Query");
        Assert.Equal(VerdictOutcome.Accepted, await SignUpAsync(system));

        var (exit, output) = await system.RunAsync("Uniqueness", "migrate");
        Assert.True(exit == 0, output);

        Assert.Equal(VerdictOutcome.Accepted, await SignUpAsync(system));
        await RefusedAsync(system.Database, "alter table log.mt_events disable trigger all");
        foreach (var name in new[] { "Uniqueness", "Accounts", "Mail", "Query" })
        {
            await system[name].KillAsync();
            await system[name].StartAsync();
        }
        Assert.Equal(VerdictOutcome.Accepted, await SignUpAsync(system));
        await Wait.UntilAsync(() => Task.FromResult(Directory.GetFiles(system.MailPickup, "*.eml").Length == 3), "everybody has a mail");
        foreach (var (endpoint, command) in new[] { ("Uniqueness", "rebuild"), ("Uniqueness", "verify"), ("Query", "rebuild"), ("Query", "audit"), ("Query", "export") })
        {
            (exit, output) = await system.RunAsync(endpoint, command);
            Assert.True(exit == 0, $"{endpoint} {command}: {output}");
        }
    }

    private static string RoleOf(string connection) => new NpgsqlConnectionStringBuilder(connection).Username!;

    private static async Task<VerdictOutcome?> SignUpAsync(SignupSystem system)
    {
        var command = NewSignUp();
        return (await system.Commands.AskAsync<Verdict>("accounts", command, command.AccountId, TimeSpan.FromSeconds(20), CancellationToken.None))?.Outcome;
    }

    private static async Task RefusedAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }
}
