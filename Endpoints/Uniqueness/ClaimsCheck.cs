using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Signup.EventLog;

namespace Signup.Uniqueness;

/// <summary>Whether proposals are decided. Ready all the same: this process says so to each, and an operator ends it.</summary>
internal sealed class ClaimsCheck(NpgsqlDataSource database) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand($"select position from {ClaimsFence.Table}");
        return await command.ExecuteScalarAsync(cancellationToken) is long position
            ? HealthCheckResult.Degraded($"No sign-up is decided until './run Uniqueness rebuild' has claimed all that the log holds; it is at position {position}.")
            : HealthCheckResult.Healthy();
    }
}
