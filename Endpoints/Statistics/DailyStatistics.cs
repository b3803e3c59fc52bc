using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Following;

namespace Signup.Statistics;

/// <summary>
/// How often what happened on which day (UTC, of the append). Counting twice would show, and so would leaving out; but the counts and the
/// checkpoint move in one transaction, and <see cref="LogFollower{TProjection}"/> begins at position 0 for who has none.
/// </summary>
public sealed class DailyStatistics(NpgsqlDataSource database) : IProjection
{
    public string Name => "statistics.day";

    public Checkpoint Checkpoint { get; } = new("statistics.checkpoint", IsDivided: true);

    public async Task EnsureAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // A row of its own for each partition, so that none waits for another's. Earlier versions had one for all.
        await connection.ExecuteAsync($"""
            select pg_advisory_xact_lock(hashtextextended('signup.statistics', 0));
            create schema if not exists statistics;
            do $$ begin
                if exists (select from information_schema.columns where table_schema = 'statistics' and table_name = 'checkpoint' and column_name = 'one') then
                    alter table statistics.checkpoint drop column one, add column low int primary key default 0, add column high int not null default 65535;
                    alter table statistics.day drop constraint day_pkey, add column partition int not null default 0, add primary key (day, type, partition);
                end if;
            end $$;
            create table if not exists statistics.day (day date not null, type text not null, count bigint not null, partition int not null, primary key (day, type, partition));
            create table if not exists statistics.checkpoint ({Checkpoint.Columns});
            insert into statistics.checkpoint (low, high, position) select 0, 65535, 0 where not exists (select from statistics.checkpoint);
            """);
        await transaction.CommitAsync(cancellation);
    }

    public async Task ApplyAsync(NpgsqlConnection connection, Stretch next, CancellationToken cancellation)
    {
        var counts = next.Events.CountBy(e => (Day: DateOnly.FromDateTime(e.At.UtcDateTime), e.Type)).OrderBy(c => c.Key).ToList();
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into statistics.day as stored (day, type, count, partition) select *, @partition from unnest(@days, @types, @counts)
            on conflict (day, type, partition) do update set count = stored.count + excluded.count
            """,
            new
            {
                days = counts.ConvertAll(c => c.Key.Day).ToArray(),
                types = counts.ConvertAll(c => c.Key.Type).ToArray(),
                counts = counts.ConvertAll(c => (long)c.Value).ToArray(),
                partition = next.Partition.Low,
            }, cancellationToken: cancellation));
        await Checkpoint.MoveAsync(connection, next.Partition, next.UpTo, cancellation);
    }

    /// <summary>GET /days: what happened on each day, the latest first.</summary>
    public static async Task<IResult> ReadAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var rows = await connection.QueryAsync<(string Day, string Type, long Count)>(new CommandDefinition(
            "select to_char(day, 'YYYY-MM-DD'), type, sum(count)::bigint from statistics.day group by day, type order by day desc, type", cancellationToken: cancellation));
        return Results.Ok(rows.GroupBy(r => r.Day).Select(d => new { day = d.Key, counts = d.ToDictionary(r => r.Type, r => r.Count) }));
    }
}
