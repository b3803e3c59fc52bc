using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Signup.Hosting.Following;

/// <summary>How far a projection is behind the log, as metrics and in <c>/health/ready</c>. Unhealthy is what does not mend itself: one event that cannot be taken in, lag that grows,
/// code that is older than what it reads.</summary>
internal sealed class ProjectionLag<TProjection> : IHealthCheck, IDisposable where TProjection : IProjection
{
    private readonly LogFollower<TProjection> _follower;
    private readonly LagWatch _watch = new();
    private readonly Meter _meter;

    public ProjectionLag(LogFollower<TProjection> follower, TProjection projection, EndpointIdentity identity)
    {
        _follower = follower;
        _meter = new Meter($"Signup.{char.ToUpperInvariant(identity.Name[0])}{identity.Name[1..]}");
        KeyValuePair<string, object?>[] tags = [new("projection", projection.Name)];
        _meter.CreateObservableGauge($"signup.{identity.Name}.lag.events", () => new Measurement<long>(follower.Lag?.Events ?? 0, tags), "{event}", "Positions of the log that the projection has not reached");
        _meter.CreateObservableGauge($"signup.{identity.Name}.lag.seconds", () => new Measurement<double>(follower.Lag?.Seconds ?? 0, tags), "s", "Age of the oldest event that is not in the projection");
    }

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var read = "It";
        try
        {
            var lag = await _follower.MeasureAsync(cancellationToken);
            var data = new Dictionary<string, object> { ["position"] = lag.Position, ["behindEvents"] = lag.Events, ["behindSeconds"] = lag.Seconds };
            var standby = "";
            if (_follower.Replica is { } replica)
            {
                read = "The standby of ConnectionStrings__PostgresReplica";
                var lacks = Math.Max(0, lag.Position + lag.Events - await replica.LastPositionAsync(cancellationToken));
                data["standbyBehindEvents"] = lacks;
                if (lacks > 0) standby = $", and so is the standby from which it is read, by {lacks} events";
            }
            if (lag.IsOthers) return HealthCheckResult.Unhealthy("A newer version of the code keeps it. This process is to be replaced.", data: data);
            if (_follower.Obstacle is { } obstacle) return HealthCheckResult.Unhealthy(obstacle.Why, data: data);
            if (_watch.Grows(Stopwatch.GetElapsedTime(0), lag.Seconds)) return HealthCheckResult.Unhealthy($"{lag.Seconds:0} s behind the log{standby}, and not catching up.", data: data);
            return lag.Seconds > LagWatch.Alarming.TotalSeconds
                ? HealthCheckResult.Degraded($"{lag.Seconds:0} s behind the log{standby}.", data: data)
                : HealthCheckResult.Healthy(data: data);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy($"{read} cannot be read.", e);
        }
    }

    public void Dispose() => _meter.Dispose();
}
