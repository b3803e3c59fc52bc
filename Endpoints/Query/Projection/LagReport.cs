using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Signup.Hosting;

namespace Signup.Query.Projection;

/// <summary>How far the read model is behind, as metrics and in <c>/health/ready</c>. Being behind is no reason to refuse reads.</summary>
public sealed class LagReport : IHealthCheck, IDisposable
{
    private static readonly TimeSpan Alarming = TimeSpan.FromMinutes(1);
    private readonly LogFollower<ReadModel> _follower;
    private readonly Meter _meter = new("Signup.Query");

    public LagReport(LogFollower<ReadModel> follower)
    {
        _follower = follower;
        _meter.CreateObservableGauge("signup.query.lag.events", () => follower.Lag?.Events ?? 0, "{event}", "Positions of the log that the read model has not reached");
        _meter.CreateObservableGauge("signup.query.lag.seconds", () => follower.Lag?.Seconds ?? 0, "s", "Age of the oldest event that is not in the read model");
    }

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var lag = await _follower.MeasureAsync(cancellationToken);
            var data = new Dictionary<string, object> { ["position"] = lag.Position, ["behindEvents"] = lag.Events, ["behindSeconds"] = lag.Seconds };
            return lag.Seconds > Alarming.TotalSeconds
                ? HealthCheckResult.Degraded($"The read model is {lag.Seconds:0} s behind the log.", data: data)
                : HealthCheckResult.Healthy(data: data);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("The read model cannot be read.", e);
        }
    }

    public void Dispose() => _meter.Dispose();
}
