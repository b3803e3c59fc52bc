using Npgsql;
using Signup.EventLog;

namespace Signup.Uniqueness;

/// <summary>The tables of this endpoint. The primary key on claims is the fence: two owners of one value cannot be written, whatever the processes do.</summary>
internal static class ClaimTable
{
    private const string Ddl = """
        create table if not exists uniqueness.claims (
            name text not null, value text not null, stream_id uuid not null,
            until timestamptz, -- reserved until then; null: held for good
            primary key (name, value));
        create index if not exists claims_by_stream on uniqueness.claims (stream_id);
        create table if not exists uniqueness.rejections (
            stream_id uuid not null, event_id uuid not null, name text not null, at timestamptz not null default now(), primary key (stream_id, event_id));
        do $$ begin
            -- A lock that others would wait for is taken only where there is something to do.
            if not exists (select from information_schema.columns where table_schema = 'uniqueness' and table_name = 'rejections' and column_name = 'outcome') then
                alter table uniqueness.rejections add column outcome text not null default 'NotUnique';
            end if;
            if not exists (select from information_schema.columns where table_schema = 'uniqueness' and table_name = 'claims' and column_name = 'until') then
                alter table uniqueness.claims add column until timestamptz;
            end if;
        end $$;
        create index if not exists rejections_by_age on uniqueness.rejections using brin (at);
        """;

    /// <summary>Creates what is missing. Several processes may do so at once.</summary>
    public static async Task CreateAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await ClaimsFence.CreateAsync(database, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var command = new NpgsqlCommand($"select pg_advisory_xact_lock({ClaimsFence.Lock + 1}); {Ddl}", connection);
        await command.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }
}
