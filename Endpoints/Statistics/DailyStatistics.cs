using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting;

namespace Signup.Statistics;

/// <summary>
/// How often what happened on which day (UTC, of the append). Counting twice would show, and so would leaving out; but the counts and the
/// checkpoint move in one transaction, and <see cref="LogFollower{TProjection}"/> begins at position 0 for who has none.
/// </summary>
public sealed class DailyStatistics(NpgsqlDataSource database) : IProjection
{
    public string Name => "statistics.day";

    public string Checkpoint => "select position from statistics.checkpoint";

    public async Task EnsureAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync("""
            select pg_advisory_xact_lock(hashtextextended('signup.statistics', 0));
            create schema if not exists statistics;
            create table if not exists statistics.day (day date not null, type text not null, count bigint not null, primary key (day, type));
            create table if not exists statistics.checkpoint (one boolean primary key default true check (one), position bigint not null);
            insert into statistics.checkpoint (position) values (0) on conflict do nothing;
            """);
        await transaction.CommitAsync(cancellation);
    }

    public async Task ApplyAsync(NpgsqlConnection connection, IReadOnlyList<LoggedEvent> events, CancellationToken cancellation)
    {
        var counts = events.CountBy(e => (Day: DateOnly.FromDateTime(e.At.UtcDateTime), e.Type)).OrderBy(c => c.Key).ToList();
        await connection.ExecuteAsync(new CommandDefinition("""
            insert into statistics.day as stored select * from unnest(@days, @types, @counts)
            on conflict (day, type) do update set count = stored.count + excluded.count;
            update statistics.checkpoint set position = @position
            """,
            new
            {
                days = counts.ConvertAll(c => c.Key.Day).ToArray(),
                types = counts.ConvertAll(c => c.Key.Type).ToArray(),
                counts = counts.ConvertAll(c => (long)c.Value).ToArray(),
                position = events[^1].Position,
            }, cancellationToken: cancellation));
    }

    /// <summary>GET /days: what happened on each day, the latest first.</summary>
    public static async Task<IResult> ReadAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var rows = await connection.QueryAsync<(string Day, string Type, long Count)>(new CommandDefinition(
            "select to_char(day, 'YYYY-MM-DD'), type, count from statistics.day order by day desc, type", cancellationToken: cancellation));
        return Results.Ok(rows.GroupBy(r => r.Day).Select(d => new { day = d.Key, counts = d.ToDictionary(r => r.Type, r => r.Count) }));
    }
}
