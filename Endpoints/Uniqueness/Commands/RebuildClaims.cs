using System.CommandLine;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Commands;

namespace Signup.Uniqueness.Commands;

/// <summary>
/// Derives all claims anew from the log. Proposals are refused meanwhile (503), by every instance: each needs a lock that the rebuild holds alone.
/// A rebuild that was stopped leaves a mark with how far it got; proposals stay refused until another has finished the work.
/// </summary>
internal static class RebuildClaims
{
    private const int BatchSize = 2000;

    public static Command Define() => new Command("rebuild", "Derives all claims on unique values anew from the log; refuses proposals meanwhile.").Runs(RunAsync);

    private static async Task<int> RunAsync(Invocation given, CancellationToken cancellation)
    {
        var rules = UniquenessServices.LoadRules(given.Configuration);
        await using var database = given.OpenDatabase();
        await ClaimTable.CreateAsync(database, cancellation);
        var log = given.OpenLog(database);

        // Held by the connection, not by a transaction: it is gone when this process is.
        await using var fence = await database.OpenConnectionAsync(cancellation);
        await using (var take = new NpgsqlCommand($"select pg_advisory_lock({ClaimsFence.Lock})", fence) { CommandTimeout = 0 })
            await take.ExecuteNonQueryAsync(cancellation);

        // Nobody commits claims from here on, so what the log holds now is all there is to read.
        var end = await log.LastPositionAsync(cancellation);
        var position = await BeginAsync(database, cancellation);
        var problems = new Findings();
        await ProgressBar.ShowAsync("positions", async progress =>
        {
            while (position < end)
            {
                progress.Report(new(position, end));
                var events = await log.ReadAsync(position, BatchSize, cancellation);
                if (events.Count == 0) await Task.Delay(TimeSpan.FromMilliseconds(100), cancellation); // an append of someone else's is under way
                else position = await ApplyAsync(database, rules, events, problems, cancellation);
            }
            progress.Report(new(end, end));
        });
        await ExecuteAsync(database, $"delete from {ClaimsFence.Table}", cancellation);
        return problems.Summarize("Rebuilt.");
    }

    private static async Task<long> BeginAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var unfinished = database.CreateCommand($"select position from {ClaimsFence.Table}");
        if (await unfinished.ExecuteScalarAsync(cancellation) is long position and > 0) return position;
        await ExecuteAsync(database, $"begin; delete from {ClaimsFence.Table}; insert into {ClaimsFence.Table} (position) values (0); truncate uniqueness.claims; commit", cancellation);
        return 0;
    }

    private static async Task<long> ApplyAsync(NpgsqlDataSource database, UniquenessRules rules, IReadOnlyList<LoggedEvent> events, Findings problems, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var created = new List<(Claim Claim, Guid StreamId, DateTimeOffset At)>();
        foreach (var e in events)
            foreach (var claim in problems.ClaimsOf(rules, e))
            {
                // A stream that begins has nothing to give up.
                if (claim.Action is ClaimAction.Create && e.Version == 1)
                {
                    created.Add((claim, e.StreamId, e.At));
                    continue;
                }
                await ClaimAsync(connection, created, problems, cancellation);
                await GiveUpAsync(connection, claim, e.StreamId, cancellation);
                if (claim.Taken is not null) created.Add((claim, e.StreamId, e.At));
                // Alone: a later event may claim what is reserved.
                if (claim.Action is ClaimAction.Reserve) await ClaimAsync(connection, created, problems, cancellation);
            }
        await ClaimAsync(connection, created, problems, cancellation);
        await using var mark = new NpgsqlCommand($"update {ClaimsFence.Table} set position = $1", connection) { Parameters = { new() { Value = events[^1].Position } } };
        await mark.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return events[^1].Position;
    }

    /// <summary>Writes the claims collected so far; whoever finds a value taken is reported, and the first keeps it. One whose reservation was over by then is not taken.</summary>
    private static async Task ClaimAsync(NpgsqlConnection connection, List<(Claim Claim, Guid StreamId, DateTimeOffset At)> created, Findings problems, CancellationToken cancellation)
    {
        if (created.Count == 0) return;
        var (names, values) = (created.Select(c => c.Claim.Constraint).ToArray(), created.Select(c => c.Claim.Value!).ToArray());
        await using var free = new NpgsqlCommand("delete from uniqueness.claims c using unnest($1, $2, $3) as w (name, value, at) where c.name = w.name and c.value = w.value and c.until <= w.at", connection)
        {
            Parameters = { new() { Value = names }, new() { Value = values }, new() { Value = created.Select(c => c.At).ToArray() } },
        };
        await free.ExecuteNonQueryAsync(cancellation);
        await using var command = new NpgsqlCommand("""
            with wanted as (select * from unnest($1, $2, $3, $4) with ordinality as c (name, value, stream_id, until, n)),
                 written as (insert into uniqueness.claims (name, value, stream_id, until) select name, value, stream_id, until from wanted order by n on conflict do nothing returning name, value, stream_id)
            select name, value, stream_id from wanted w where not exists (select from uniqueness.claims c where c.name = w.name and c.value = w.value and c.stream_id = w.stream_id)
            except select name, value, stream_id from written
            """, connection)
        {
            Parameters =
            {
                new() { Value = names }, new() { Value = values }, new() { Value = created.Select(c => c.StreamId).ToArray() },
                new() { Value = created.Select(c => c.Claim.Until?.ToUniversalTime()).ToArray() },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) problems.Twice(reader.GetString(0), reader.GetString(1), reader.GetGuid(2));
        created.Clear();
    }

    /// <summary>What the stream had reserved, too.</summary>
    private static async Task GiveUpAsync(NpgsqlConnection connection, Claim claim, Guid streamId, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("delete from uniqueness.claims where name = $1 and stream_id = $2 and ($3 or value = $4 or until is not null)", connection);
        command.Parameters.Add(new() { Value = claim.Constraint });
        command.Parameters.Add(new() { Value = streamId });
        command.Parameters.Add(new() { Value = claim.GivesUpAll });
        command.Parameters.Add(new() { Value = (object?)claim.GivenUp?.Value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
