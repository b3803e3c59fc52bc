using Microsoft.Extensions.Logging.Abstractions;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Following;
namespace Signup.Tests.Traps;

public sealed class schema_migration(Stage stage)
{
    [Fact]
    public async Task rolled_back_it_takes_what_people_have_chosen_with_it_but_a_field_that_code_derives_from_the_log_comes_and_goes()
    {
        await using var database = await Stage.NaiveDatabaseAsync("create table accounts (name text); insert into accounts values ('Ada')");
        await using var connection = await database.OpenConnectionAsync();

        Story.Tell("A release adds a column for the language. Ada chooses German. The release is rolled back, for another reason, and comes again a week later.");
        await connection.ExecuteAsync("alter table accounts add language text not null default 'en'; update accounts set language = 'de'");
        await connection.ExecuteAsync("alter table accounts drop language");
        await connection.ExecuteAsync("alter table accounts add language text not null default 'en'");
        Assert.Equal("en", await connection.ExecuteScalarAsync<string>("select language from accounts"));
        Story.Tell("Whoever had chosen before has to choose again. Nobody told them.");

        Story.Tell("Here: a consumer that knows names alone is replaced by one that knows languages, too, and back, and again.");
        var (ada, eve) = (Stage.NewEmail(), Stage.NewEmail());
        Assert.Equal(201, (await stage.SignUpAsync(ada, "Ada", language: "de")).Status);
        await RunAsync("names", e => e.Username, "Ada");
        await RunAsync("languages", e => $"{e.Username} ({e.Language})", "Ada (de)");
        Assert.Equal(201, (await stage.SignUpAsync(eve, "Eve", language: "de")).Status);
        await RunAsync("names", e => e.Username, "Ada", "Eve");
        await RunAsync("languages", e => $"{e.Username} ({e.Language})", "Ada (de)", "Eve (de)");
        Story.Tell("No migration ever ran. What Ada chose is in the log, where code that knows of it finds it, and code that does not passes by.");

        async Task RunAsync(string release, Func<AccountCreated, string> show, params string[] expected)
        {
            var view = new View(stage.System.Database, release, show);
            using var follower = new LogFollower<View>(view, stage.System.Database, new LogReader(stage.System.Database), new WakeUp(), NullLogger<LogFollower<View>>.Instance);
            // A token would end the following, not the start alone.
            await follower.StartAsync(CancellationToken.None);
            await Wait.UntilAsync(async () => (await view.ReadAsync(ada, eve)).SequenceEqual(expected), $"the release '{release}' shows {string.Join(" and ", expected)}");
            await follower.StopAsync(Wait.Token);
        }
    }
}

/// <summary>One release of a consumer of its own. Each has its table, and fills it from the beginning of the log, or goes on where it was.</summary>
file sealed class View(NpgsqlDataSource database, string release, Func<AccountCreated, string> show) : IProjection
{
    public string Name => release;

    public Checkpoint Checkpoint { get; } = new($"naive_{release}.checkpoint");

    public async Task EnsureAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await connection.ExecuteAsync($"""
            create schema if not exists naive_{release};
            create table if not exists naive_{release}.account (position bigint primary key, email text, shown text);
            create table if not exists naive_{release}.checkpoint ({Checkpoint.Columns});
            insert into naive_{release}.checkpoint (low, high, position) select 0, 65535, 0 where not exists (select from naive_{release}.checkpoint)
            """);
    }

    public async Task ApplyAsync(NpgsqlConnection connection, Stretch next, CancellationToken cancellation)
    {
        foreach (var e in next.Events)
            if (EventTypes.Read(e) is AccountCreated created)
                await connection.ExecuteAsync($"insert into naive_{release}.account values (@position, @email, @shown)", new { e.Position, created.Email, shown = show(created) });
        await Checkpoint.MoveAsync(connection, next.Partition, next.UpTo, cancellation);
    }

    public async Task<IEnumerable<string>> ReadAsync(params string[] emails)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await connection.QueryAsync<string>($"select shown from naive_{release}.account where email = any(@emails) order by position", new { emails });
    }
}
