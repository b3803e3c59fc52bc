using Npgsql;

namespace Signup.Tests.Fixture;

/// <summary>Until it is disposed of, whoever signs up gets as far as to the claim, and no further: no event can be appended.</summary>
public sealed class HeldAppends : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    private HeldAppends(NpgsqlConnection connection) => _connection = connection;

    public static async Task<HeldAppends> BeginAsync(NpgsqlDataSource database)
    {
        var connection = await database.OpenConnectionAsync();
        await using var hold = new NpgsqlCommand("begin; lock table log.mt_streams in share mode", connection);
        await hold.ExecuteNonQueryAsync();
        return new HeldAppends(connection);
    }

    /// <summary>Returns when an instance of Uniqueness has claimed a value, and waits to append.</summary>
    public async Task HasClaimedAsync()
    {
        // Mail, and autovacuum, may wait for the table, too.
        await using var waiting = new NpgsqlCommand("""
            select exists (select from pg_locks waits join pg_locks claims using (pid)
                           where not waits.granted and waits.relation = 'log.mt_streams'::regclass
                             and claims.granted and claims.relation = 'uniqueness.claims'::regclass and claims.mode = 'RowExclusiveLock')
            """, _connection);
        await Wait.UntilAsync(async () => (bool)(await waiting.ExecuteScalarAsync())!, "an instance has claimed, and waits to append");
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
