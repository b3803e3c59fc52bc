using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Signup.Hosting.ServiceControl;

/// <summary>Whether the log itself can be read, beyond the database's answering.</summary>
internal sealed class EventLogCheck(EventLog.LogReader log) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return HealthCheckResult.Healthy(data: new Dictionary<string, object> { ["position"] = await log.LastPositionAsync(cancellationToken) });
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("The event log cannot be read.", e);
        }
    }
}
