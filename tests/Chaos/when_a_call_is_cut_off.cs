using Npgsql;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Chaos;

/// <summary>Accounts asks Uniqueness by a call that nobody keeps. Whoever of the two dies while the decision is being committed, the asker hears the decision, and it is made once.</summary>
public sealed class when_a_call_is_cut_off : IAsyncLifetime
{
    private SignupSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await SignupSystem.StartAsync("cutoff", null, "Uniqueness", "Accounts");

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Theory(Timeout = Run.Deadline)]
    [InlineData("Accounts")]
    [InlineData("Uniqueness")]
    public async Task at_the_commit_of_a_yes_it_is_in_the_log_once_and_the_asker_hears_so(string who)
    {
        var command = NewSignUp();

        var verdict = await DieAtTheCommitAsync(who, "log.mt_events", command);

        Assert.Equal((VerdictOutcome.Accepted, 1L), (verdict!.Outcome, verdict.Version));
        Assert.Single(await _system.Database.EventsAsync<Stored.AccountCreated>(), e => e.Happened.Email == command.Email);
        Assert.Equal(verdict, await SignUpAsync(command));
    }

    [Theory(Timeout = Run.Deadline)]
    [InlineData("Accounts")]
    [InlineData("Uniqueness")]
    public async Task at_the_commit_of_a_no_it_stays_a_no_though_the_address_is_free_by_then(string who)
    {
        var holder = NewSignUp();
        Assert.Equal(VerdictOutcome.Accepted, (await SignUpAsync(holder))!.Outcome);
        var command = NewSignUp() with { Email = holder.Email };

        var verdict = await DieAtTheCommitAsync(who, "uniqueness.rejections", command, meanwhile: async () =>
        {
            Assert.Equal(1L, await ScalarAsync("with given_up as (delete from uniqueness.claims where value = $1 returning 1) select count(*) from given_up", holder.Email));
        });

        Assert.Equal((VerdictOutcome.NotUnique, "email"), (verdict!.Outcome, verdict.Constraint));
        Assert.Equal(0L, await ScalarAsync("select count(*) from log.mt_events where stream_id = $1", command.AccountId));
    }

    /// <summary>Signs up, and kills the process once the row's transaction is being committed, which succeeds after its death; then it is started again.</summary>
    private async Task<Verdict?> DieAtTheCommitAsync(string who, string table, SignUp command, Func<Task>? meanwhile = null)
    {
        await ExecuteAsync($"""
            create function public.wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(4711); return null; end $$;
            create constraint trigger wait after insert on {table} deferrable initially deferred for each row execute function public.wait();
            """);
        Task<Verdict?> asking;
        await using (var connection = await _system.Database.OpenConnectionAsync())
        {
            await using (var hold = new NpgsqlCommand("select pg_advisory_lock(4711)", connection)) await hold.ExecuteNonQueryAsync();
            asking = SignUpAsync(command);
            await WaitersAsync(1);
            await _system[who].KillAsync();
            await using var release = new NpgsqlCommand("select pg_advisory_unlock(4711)", connection);
            await release.ExecuteNonQueryAsync();
        }
        await WaitersAsync(0);
        await ExecuteAsync($"drop function public.wait() cascade");
        if (meanwhile is not null) await meanwhile();
        await _system[who].StartAsync();
        return await asking;

        Task WaitersAsync(long count) => Wait.UntilAsync(async () => Equals(count, await ScalarAsync("select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and not granted")), $"{count} wait at the commit");
    }

    private Task<Verdict?> SignUpAsync(SignUp command) =>
        _system.Commands.AskAsync<Verdict>("accounts", command, command.AccountId, Wait.Deadline, CancellationToken.None);

    private static SignUp NewSignUp() => new(Guid.CreateVersion7(), "ada", $"{Guid.NewGuid():N}@example.org", "$argon2id$test", "en", DateTimeOffset.UtcNow);

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _system.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<object?> ScalarAsync(string sql, object? value = null)
    {
        await using var command = _system.Database.CreateCommand(sql);
        if (value is not null) command.Parameters.AddWithValue(value);
        return await command.ExecuteScalarAsync();
    }
}
