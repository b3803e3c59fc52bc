using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Signup.Hosting.Handling;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.ServiceControl;

/// <summary>Tells ServiceControl every few seconds that this process lives, what its health checks say, and how long messages took.</summary>
internal sealed class Reporter(Broker broker, EndpointIdentity self, ServiceControlSettings settings, HealthCheckService checks, MessageFigures figures, IServiceProvider services,
    TimeProvider time, ILogger<Reporter> logger) : BackgroundService
{
    private readonly Reports _reports = new(self, settings);
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => settings.Enabled
        // Apart, since a check may take long, and a heartbeat must not wait for it.
        ? Task.WhenAll(EveryIntervalAsync(HeartbeatsAsync(), stoppingToken), EveryIntervalAsync(ChecksAsync(), stoppingToken), EveryIntervalAsync(FiguresAsync(), stoppingToken))
        : Task.CompletedTask;

    private Func<CancellationToken, Task> HeartbeatsAsync()
    {
        var address = new MaybeAddress(broker, settings.Queue, time, logger);
        var registered = false;
        return async stopping =>
        {
            registered = registered || await address.TrySendAsync(_reports.Startup(_startedAt, Assembly.GetEntryAssembly()?.GetName().Version?.ToString()), stopping);
            await address.TrySendAsync(_reports.Heartbeat(time.GetUtcNow()), stopping);
        };
    }

    private Func<CancellationToken, Task> ChecksAsync()
    {
        var address = new MaybeAddress(broker, settings.Queue, time, logger);
        return async stopping =>
        {
            var report = await checks.CheckHealthAsync(stopping);
            foreach (var (name, entry) in report.Entries)
            {
                var failure = entry.Status == HealthStatus.Healthy ? null : entry.Description ?? entry.Exception?.GetType().Name ?? entry.Status.ToString();
                await address.TrySendAsync(_reports.CustomCheck(name, failure, time.GetUtcNow()), stopping);
            }
        };
    }

    private Func<CancellationToken, Task> FiguresAsync()
    {
        // The gateway handles no messages.
        if (services.GetService<Handlers>() is null) return _ => Task.CompletedTask;
        var address = new MaybeAddress(broker, settings.MonitoringQueue, time, logger);
        return async stopping =>
        {
            await address.TrySendAsync(_reports.Metadata(), stopping);
            foreach (var metric in figures.Take())
                foreach (var part in Occurrence.Split(metric))
                    await address.TrySendAsync(_reports.Series(metric.Key, part), stopping);
        };
    }

    private async Task EveryIntervalAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(settings.Interval, time);
        try
        {
            do
            {
                try
                {
                    await work(stopping);
                }
                catch (Exception e) when (!stopping.IsCancellationRequested)
                {
                    logger.RoundFailed(e);
                }
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException)
        {
        }
    }
}

internal static partial class ReporterLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "A report to ServiceControl failed; the next one is tried as usual")]
    public static partial void RoundFailed(this ILogger logger, Exception e);
}
