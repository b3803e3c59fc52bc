using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Operations;

/// <summary>Live: the process answers. Ready: it reaches what it needs.</summary>
public static class Health
{
    public static IHealthChecksBuilder AddEndpointHealth(this IServiceCollection services, bool database)
    {
        var checks = services.AddHealthChecks().AddCheck<BrokerCheck>("rabbitmq");
        return database ? checks.AddCheck<DatabaseCheck>("postgresql").AddCheck<EventLogCheck>("event-log") : checks;
    }

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions
        {
            ResponseWriter = (context, report) => context.Response.WriteAsJsonAsync(new
            {
                status = report.Status.ToString(),
                checks = report.Entries.ToDictionary(e => e.Key, e => new { status = e.Value.Status.ToString(), e.Value.Description, e.Value.Data }),
            }),
        });
    }

    private sealed class BrokerCheck(Broker broker) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            if (broker.BlockedBy is { } reason) return HealthCheckResult.Unhealthy($"RabbitMQ takes no messages: {reason}.");
            if (broker.IsConnected) return HealthCheckResult.Healthy();
            try
            {
                await using var channel = await broker.OpenChannelAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                return HealthCheckResult.Unhealthy("RabbitMQ cannot be reached.", e);
            }
        }
    }

    private sealed class DatabaseCheck(NpgsqlDataSource database) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await using var command = database.CreateCommand("select 1");
                await command.ExecuteScalarAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                return HealthCheckResult.Unhealthy("PostgreSQL cannot be reached.", e);
            }
        }
    }

    /// <summary>Whether the log itself can be read, beyond the database's answering.</summary>
    private sealed class EventLogCheck(LogReader log) : IHealthCheck
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
}
