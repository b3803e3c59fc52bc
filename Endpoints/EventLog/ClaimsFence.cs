using Npgsql;

namespace Signup.EventLog;

/// <summary>
/// Keeps everybody from claiming unique values while the claims are not all there: while they are derived anew, and from the moment that
/// events are in the log which nobody has claimed anything for (an import), to the end of the next <c>Uniqueness rebuild</c>.
/// </summary>
public static class ClaimsFence
{
    /// <summary>An advisory lock: held shared by whoever commits claims, alone by whoever puts up the mark or works behind it.</summary>
    public const long Lock = 0x5369676e7570;

    /// <summary>The mark: how far the claims are derived, by position. It outlives whoever put it up.</summary>
    public const string Table = "uniqueness.rebuild";

    /// <summary>Creates what is missing of it. Several processes may do so at once.</summary>
    public static async Task CreateAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var command = new NpgsqlCommand($"""
            select pg_advisory_xact_lock({Lock + 1});
            create schema if not exists uniqueness;
            create table if not exists {Table} (position bigint not null);
            """, connection);
        await command.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>In the connection's transaction: waits for whoever is claiming, lets nobody claim until it has ended, and marks, if it is committed, that nothing is claimed yet.</summary>
    public static async Task RaiseAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select pg_advisory_xact_lock({Lock}); delete from {Table}; insert into {Table} (position) values (0)", connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
