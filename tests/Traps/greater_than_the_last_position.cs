using Signup.EventLog;
namespace Signup.Tests.Traps;

public sealed class greater_than_the_last_position(Stage stage)
{
    [Fact]
    public async Task an_event_that_is_committed_late_is_skipped_for_ever_but_the_gap_free_reader_waits_before_the_gap()
    {
        await using var database = await Stage.NaiveDatabaseAsync("create table log (position bigserial primary key, email text)");
        var naive = new Follower(database);

        Story.Tell("A transaction takes position 1, and takes its time. Another takes position 2, and commits. A reader asks for all that is greater than 0.");
        var (early, late) = (await database.OpenConnectionAsync(), await database.OpenConnectionAsync());
        await using (early)
        await using (late)
        {
            await late.ExecuteAsync("begin; insert into log (email) values ('late@example.org')");
            await early.ExecuteAsync("insert into log (email) values ('early@example.org')");
            Assert.Equal(["early@example.org"], await naive.ReadAsync());
            await late.ExecuteAsync("commit");
            Assert.Equal(["late@example.org", "early@example.org"], await late.QueryAsync<string>("select email from log order by position"));
        }
        Assert.Empty(await naive.ReadAsync());
        await Story.ShowAsync("the naive log", database, "select position, email, email like 'early%' as has_been_read from log order by position");
        Story.Tell("It has read 2, and asks for what is greater than 2. Number 1 is in the log, and this reader will never see it. No error, no line in a file.");

        Story.Tell("Here: the same, in the log of the running system.");
        var (slow, quick, log) = ($"slow.{Stage.NewEmail()}", Stage.NewEmail(), new LogReader(stage.System.Database));
        var last = await log.LastPositionAsync(Wait.Token);
        await using (var writer = await stage.System.Database.OpenConnectionAsync())
        {
            await using var transaction = await writer.BeginTransactionAsync();
            var position = (await Stage.AppendAsync(writer, slow))[0];
            Assert.Equal(201, (await stage.SignUpAsync(quick)).Status);
            Assert.True(await log.LastPositionAsync(Wait.Token) > position);
            Assert.DoesNotContain(await log.ReadAsync(last, 1_000, Wait.Token), e => e.Position >= position);
            await transaction.CommitAsync();
            await Wait.UntilAsync(async () => (await log.ReadAsync(position - 1, 2, Wait.Token)).Count == 2, "what is behind the gap follows what was in it");
        }
        await Wait.UntilAsync(async () => await stage.ListedAsync(slow) is not null && await stage.ListedAsync(quick) is not null, "the read model has both");
        await Story.ShowAsync("the read model", stage.System.Database, "select document ->> 'position' as position, email from query.accounts where email = any(@emails) order by 1", new { emails = new[] { slow, quick } });
        Story.Tell("A reader stops before a gap as long as a transaction that might fill it is running. A rollback leaves one, too; then nobody is running any more, and it goes on.");
    }
}

file sealed class Follower(NpgsqlDataSource database)
{
    private long _position;

    public async Task<IReadOnlyList<string>> ReadAsync()
    {
        await using var connection = await database.OpenConnectionAsync();
        var rows = (await connection.QueryAsync<(long Position, string Email)>("select position, email from log where position > @_position order by position", new { _position })).AsList();
        if (rows.Count > 0) _position = rows[^1].Position;
        return rows.ConvertAll(r => r.Email);
    }
}
