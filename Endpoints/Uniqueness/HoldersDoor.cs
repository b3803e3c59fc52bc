using Npgsql;
using NpgsqlTypes;
using Signup.EventLog;
using Signup.Hosting.Handling;
using Signup.Hosting.Http;

namespace Signup.Uniqueness;

/// <summary>Who holds a unique value: <c>GET /holders/{constraint}?value=…</c>. As true as a verdict, since it is read where verdicts are written.</summary>
public static class HoldersDoor
{
    /// <param name="StreamId">Null: nobody.</param>
    private sealed record Holder(Guid? StreamId);

    public static void MapHoldersDoor(this WebApplication app) => app.MapGet("/holders/{constraint}", FindAsync).RequireApiKey("Uniqueness:ApiKey");

    private static async Task<IResult> FindAsync(string constraint, string? value, UniquenessRules rules, NpgsqlDataSource database, CancellationToken cancellation)
    {
        try
        {
            var normalized = rules.Normalize(constraint, value ?? "");
            await using var command = database.CreateCommand($"""
                select (select stream_id from uniqueness.claims where name = $1 and value = $2), exists (select from {ClaimsFence.Table})
                """);
            command.Parameters.Add(new() { Value = constraint, NpgsqlDbType = NpgsqlDbType.Text });
            command.Parameters.Add(new() { Value = normalized, NpgsqlDbType = NpgsqlDbType.Text });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            await reader.ReadAsync(cancellation);
            Guid? holder = await reader.IsDBNullAsync(0, cancellation) ? null : reader.GetGuid(0);
            // Who is not found may yet be. Whoever is gets the same answer: it is for the public, in the end, who must not learn by it who is.
            if (reader.GetBoolean(1)) throw new RebuildingException();
            return Results.Json(new Holder(holder));
        }
        catch (FormatException e)
        {
            return Problems.Problem(400, "invalid", "invalid", e.Message);
        }
        catch (RebuildingException e)
        {
            return Problems.Problem(503, "rebuilding", "rebuilding", e.Message, retryAfter: TimeSpan.FromSeconds(5));
        }
        catch (Exception e) when (Recoverability.IsTransient(e))
        {
            return Problems.Problem(503, "unavailable", "unavailable", "The claims cannot be read.", retryAfter: TimeSpan.FromSeconds(1));
        }
    }
}
