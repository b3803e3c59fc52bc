using System.CommandLine;
using System.Data;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Commands;

namespace Signup.Uniqueness.Commands;

/// <summary>Compares the claims with the log, both as of one moment, while the system runs on.</summary>
internal static class VerifyClaims
{
    public static Command Define() => new Command("verify", "Compares the claims on unique values with the log. Exit code 1 on any difference.").Runs(RunAsync);

    private static async Task<int> RunAsync(Invocation given, CancellationToken cancellation)
    {
        var rules = UniquenessServices.LoadRules(given.Configuration);
        await using var database = given.OpenDatabase();
        await ClaimTable.CreateAsync(database, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        // Claim and event commit together, so one snapshot holds both or neither.
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        var problems = new Findings();
        if (await HasRowsAsync(connection, $"select 1 from {ClaimsFence.Table}", cancellation)) problems.Say("a rebuild is due, or was begun and has not finished");

        var expected = await FoldAsync(given.OpenLog(database), connection, rules, problems, cancellation);
        var count = 0;
        await using (var claims = new NpgsqlCommand("select name, value, stream_id, until from uniqueness.claims", connection))
        await using (var reader = await claims.ExecuteReaderAsync(cancellation))
            while (await reader.ReadAsync(cancellation))
            {
                count++;
                var (name, value, stream, until) = (reader.GetString(0), reader.GetString(1), reader.GetGuid(2), reader.IsDBNull(3) ? null : (DateTimeOffset?)reader.GetFieldValue<DateTimeOffset>(3));
                if (!expected.Remove(new(name, value), out var holding)) problems.Say($"{name} {Findings.Mask(value)} is claimed for {stream}, which by the log does not hold it");
                else if (holding.Stream != stream) problems.Say($"{name} {Findings.Mask(value)} is claimed for {stream}; by the log {holding.Stream} holds it");
                else if (AsStored(holding.Until) != until) problems.Say($"{name} {Findings.Mask(value)} is claimed for {stream} {Time(until)}; by the log it holds it {Time(holding.Until)}");
            }
        // What was reserved, and is over, may have been taken over by somebody who was forgotten since, and is nobody's.
        var now = await NowAsync(connection, cancellation);
        foreach (var (value, holding) in expected.Where(e => !(e.Value.Until <= now))) problems.Say($"{value.Constraint} {Findings.Mask(value.Value)} is held by {holding.Stream} by the log, and not claimed");
        return problems.Summarize($"Compared {count} claims with the log.");
    }

    /// <summary>In whole microseconds.</summary>
    private static DateTimeOffset? AsStored(DateTimeOffset? time) => time is { } t ? new DateTimeOffset(t.UtcTicks - (t.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero) : null;

    private static string Time(DateTimeOffset? until) => until is { } end ? $"until {end:u}" : "for good";

    private static async Task<Dictionary<UniqueValue, Holding>> FoldAsync(LogReader log, NpgsqlConnection connection, UniquenessRules rules, Findings problems, CancellationToken cancellation)
    {
        var held = new Dictionary<UniqueValue, Holding>();
        var reserved = new Dictionary<(string Constraint, Guid StreamId), UniqueValue>();
        await foreach (var e in log.SelectAsync(connection, "e.type = any(@types) order by e.seq_id", [new("types", rules.EventNames.ToArray())], cancellation, commandTimeout: 0))
            foreach (var claim in problems.ClaimsOf(rules, e))
            {
                if (reserved.Remove((claim.Constraint, e.StreamId), out var former) && held.TryGetValue(former, out var holding) && holding.Stream == e.StreamId && holding.Until is not null) held.Remove(former);
                if (claim.GivesUpAll)
                    foreach (var key in held.Where(h => h.Value.Stream == e.StreamId && h.Key.Constraint == claim.Constraint).Select(h => h.Key).ToList()) held.Remove(key);
                else if (claim.GivenUp is { } givenUp && held.TryGetValue(givenUp, out holding) && holding.Stream == e.StreamId)
                    held.Remove(givenUp);
                if (claim.Taken is not { } value) continue;
                if (held.TryGetValue(value, out holding) && holding.Until <= e.At) held.Remove(value);
                if (held.TryAdd(value, new(e.StreamId, claim.Until)))
                {
                    if (claim.Until is not null) reserved[(claim.Constraint, e.StreamId)] = value;
                }
                else if (held[value].Stream != e.StreamId)
                {
                    problems.Twice(claim.Constraint, claim.Value!, e.StreamId);
                }
            }
        return held;
    }

    private static async Task<DateTimeOffset> NowAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select now()", connection);
        return new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(cancellation))!);
    }

    private static async Task<bool> HasRowsAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellation) is not null;
    }
}
