using System.Data;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting;

namespace Signup.Uniqueness.Commands;

/// <summary>Compares the claims with the log, both as of one moment, while the system runs on.</summary>
internal static class Verify
{
    public static readonly Command Command = new("verify", "", "Compares the claims on unique values with the log; 1 on any difference.", RunAsync);

    private static async Task<int> RunAsync(CommandLine line, CancellationToken cancellation)
    {
        var rules = UniquenessServices.LoadRules(line.Configuration);
        await using var database = line.OpenDatabase();
        await ClaimTable.CreateAsync(database, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        // Claim and event commit together, so one snapshot holds both or neither.
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        var problems = new Problems(Console.Out);
        if (await HasRowsAsync(connection, $"select 1 from {ClaimsFence.Table}", cancellation)) problems.Say("a rebuild is due, or was begun and has not finished");

        var expected = await FoldAsync(connection, rules, problems, cancellation);
        var count = 0;
        await using (var claims = new NpgsqlCommand("select name, value, stream_id from uniqueness.claims", connection))
        await using (var reader = await claims.ExecuteReaderAsync(cancellation))
            while (await reader.ReadAsync(cancellation))
            {
                count++;
                var (name, value, stream) = (reader.GetString(0), reader.GetString(1), reader.GetGuid(2));
                if (!expected.Remove((name, value), out var holder)) problems.Say($"{name} {Problems.Mask(value)} is claimed for {stream}, which by the log does not hold it");
                else if (holder != stream) problems.Say($"{name} {Problems.Mask(value)} is claimed for {stream}; by the log {holder} holds it");
            }
        foreach (var ((name, value), holder) in expected) problems.Say($"{name} {Problems.Mask(value)} is held by {holder} by the log, and not claimed");
        return problems.Summarize($"Compared {count} claims with the log.");
    }

    private static async Task<Dictionary<(string Constraint, string Value), Guid>> FoldAsync(NpgsqlConnection connection, UniquenessRules rules, Problems problems, CancellationToken cancellation)
    {
        var held = new Dictionary<(string, string), Guid>();
        await using var command = new NpgsqlCommand(
            $"select seq_id, stream_id, version, id, type, data::text, timestamp from {LogStore.Schema}.mt_events where type = any($1) order by seq_id", connection) { CommandTimeout = 0 };
        command.Parameters.Add(new() { Value = rules.EventNames.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var e = new LoggedEvent(reader.GetInt64(0), reader.GetGuid(1), reader.GetInt64(2), reader.GetGuid(3), reader.GetString(4), reader.GetString(5), reader.GetFieldValue<DateTimeOffset>(6));
            foreach (var claim in problems.ClaimsOf(rules, e))
            {
                if (claim.Action is ClaimAction.Delete && claim.Value is null)
                    foreach (var key in held.Where(h => h.Value == e.StreamId && h.Key.Item1 == claim.Constraint).Select(h => h.Key).ToList()) held.Remove(key);
                else if (claim.Action is not ClaimAction.Create && held.GetValueOrDefault((claim.Constraint, (claim.From ?? claim.Value)!)) == e.StreamId)
                    held.Remove((claim.Constraint, (claim.From ?? claim.Value)!));
                if (claim.Action is not ClaimAction.Delete && !held.TryAdd((claim.Constraint, claim.Value!), e.StreamId)) problems.Twice(claim.Constraint, claim.Value!, e.StreamId);
            }
        }
        return held;
    }

    private static async Task<bool> HasRowsAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellation) is not null;
    }
}
