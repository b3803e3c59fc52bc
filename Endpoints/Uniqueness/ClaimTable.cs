using Npgsql;

namespace Signup.Uniqueness;

/// <summary>The tables of this endpoint. The primary key on claims is the fence: two owners of one value cannot be written, whatever the processes do.</summary>
internal static class ClaimTable
{
    /// <summary>Held shared by whoever commits, exclusively by a rebuild.</summary>
    public const long RebuildLock = 0x5369676e7570;

    private const string Ddl = """
        create schema if not exists uniqueness;
        create table if not exists uniqueness.claims (
            name text not null, value text not null, stream_id uuid not null, primary key (name, value));
        create index if not exists claims_by_stream on uniqueness.claims (stream_id);
        create table if not exists uniqueness.rejections (
            stream_id uuid not null, event_id uuid not null, name text not null, at timestamptz not null default now(), primary key (stream_id, event_id));
        do $$ begin
            -- A lock that others would wait for is taken only where there is something to do.
            if not exists (select from information_schema.columns where table_schema = 'uniqueness' and table_name = 'rejections' and column_name = 'outcome') then
                alter table uniqueness.rejections add column outcome text not null default 'NotUnique';
            end if;
        end $$;
        create index if not exists rejections_by_age on uniqueness.rejections using brin (at);
        create table if not exists uniqueness.rebuild (position bigint not null);
        """;

    /// <summary>Creates what is missing. Several processes may do so at once.</summary>
    public static async Task CreateAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var command = new NpgsqlCommand($"select pg_advisory_xact_lock({RebuildLock + 1}); {Ddl}", connection);
        await command.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }
}
