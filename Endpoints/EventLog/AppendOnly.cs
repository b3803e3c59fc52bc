using Npgsql;
using Signup.EventLog.Archiving;

namespace Signup.EventLog;

/// <summary>
/// The log is only ever appended to, by the database's own word: no role that the endpoints sign in by has the privilege to change or to delete an event, nor its stream. The counter in a
/// stream's row (<c>mt_streams.version</c>) is what they do change. An owner can grant itself everything back, by a statement that nobody writes by a slip; where the
/// log belongs to another role (<see cref="MigrateAsync"/>), not even that.
/// </summary>
public static class AppendOnly
{
    internal const string Events = $"{LogStore.Schema}.mt_events";

    private const string Streams = $"{LogStore.Schema}.mt_streams";

    /// <summary>Of the log, and of the keys to it: for SQL.</summary>
    private const string Schemas = $"'{LogStore.Schema}', '{PersonalKeys.Schema}'";

    /// <summary>Whether the database refuses the role that it is connected as.</summary>
    public static async Task<bool> IsHeldAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"select not (has_table_privilege('{Events}', 'update, delete, truncate') or has_table_privilege('{Streams}', 'delete, truncate'))");
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>Takes those privileges from the role that it is connected as.</summary>
    public static async Task HoldAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            revoke update, delete, truncate on {Events} from current_user;
            revoke delete, truncate on {Streams} from current_user
            """, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Makes the log as another role than the one that endpoints sign in by, or changes it, and lets that one append to it. It is also given the right to make the schemas in which
    /// endpoints keep what they derive from the log.</summary>
    /// <param name="owner">Signs in as the role that owns the log, or is to own it. From another role it is taken by a superuser only, or by a member of that role.</param>
    /// <param name="role">As which endpoints sign in.</param>
    /// <exception cref="PostgresException">The owner may not.</exception>
    public static async Task MigrateAsync(NpgsqlDataSource owner, string role, CancellationToken cancellation)
    {
        // Somebody else's cannot even be looked at before.
        if (await LogStore.HasAsync(owner, Events, cancellation)) await GiveAsync(owner, role, cancellation);
        await LogStore.CreateAsync(owner, cancellation);
        await GiveAsync(owner, role, cancellation);
    }

    /// <summary>Whether the log belongs to the role that it is connected as.</summary>
    public static async Task<bool> OwnsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var own = new NpgsqlCommand($"select pg_has_role(relowner, 'usage') from pg_class where oid = '{Events}'::regclass", connection);
        return (bool)(await own.ExecuteScalarAsync(cancellation))!;
    }

    /// <param name="lacks">What an earlier version of the log lacks, or does not do.</param>
    /// <exception cref="InvalidOperationException">The log belongs to a role that it is not connected as.</exception>
    internal static async Task MustOwnAsync(NpgsqlConnection connection, string lacks, CancellationToken cancellation)
    {
        if (!await OwnsAsync(connection, cancellation))
            throw new InvalidOperationException($"This log is of an earlier version, which {lacks}, and belongs to another role: run './run Uniqueness migrate' once, which changes that, and start again.");
    }

    private static async Task GiveAsync(NpgsqlDataSource owner, string role, CancellationToken cancellation)
    {
        var name = new NpgsqlCommandBuilder().QuoteIdentifier(role);
        // A log of an earlier version lacks these yet.
        var keys = await LogStore.HasAsync(owner, PersonalKeys.Table, cancellation) ? PersonalKeys.Grants(name) : "";
        var archived = await LogStore.HasAsync(owner, ArchivedRange.Table, cancellation) ? ArchivedRange.Grants(name) : "";
        await using var connection = await owner.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var command = new NpgsqlCommand($"""
            do $$
            declare
                change text;
            begin
                -- A table's own sequence goes with it.
                for change in
                    select statement from (
                        select 1 as turn, format('alter schema %I owner to current_user', nspname) as statement from pg_namespace where nspname in ({Schemas}) and nspowner <> current_user::regrole
                        union all
                        select 2, format('alter table %s owner to current_user', oid::regclass) from pg_class
                        where relnamespace::regnamespace::text in ({Schemas}) and relkind in ('r', 'p', 'v') and relowner <> current_user::regrole
                        union all
                        select 3, format('alter sequence %s owner to current_user', oid::regclass) from pg_class
                        where relnamespace::regnamespace::text in ({Schemas}) and relkind = 'S' and relowner <> current_user::regrole
                        union all
                        select 4, format('alter routine %s owner to current_user', oid::regprocedure) from pg_proc
                        where pronamespace::regnamespace::text in ({Schemas}) and proowner <> current_user::regrole) s
                    order by turn
                loop
                    execute change;
                end loop;
                if not has_database_privilege('{role.Replace("'", "''", StringComparison.Ordinal)}', current_database(), 'create') then
                    execute format('grant create on database %I to %s', current_database(), '{name.Replace("'", "''", StringComparison.Ordinal)}');
                end if;
            end $$;
            grant usage on schema {LogStore.Schema} to {name};
            revoke all on all tables in schema {LogStore.Schema} from {name};
            grant select on all tables in schema {LogStore.Schema} to {name};
            grant insert on {Events}, {Streams} to {name};
            grant update on {Streams} to {name};
            grant usage, select, update on all sequences in schema {LogStore.Schema} to {name};
            {keys}
            {archived}
            """, connection);
        await command.ExecuteNonQueryAsync(cancellation);
        await HoldAsync(connection, cancellation);
        await transaction.CommitAsync(cancellation);
    }
}
