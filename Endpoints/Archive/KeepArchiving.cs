using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Signup.Archive;

/// <summary>Archives each range once it is complete, for as long as the process runs.</summary>
internal sealed partial class KeepArchiving(Archiver archiver, TimeProvider time, ILogger<KeepArchiving> logger) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private volatile string? _failure;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_failure is { } failure ? HealthCheckResult.Degraded($"Nothing is archived: {failure}") : HealthCheckResult.Healthy());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await archiver.NextAsync(stoppingToken) is { } range) Archived(logger, range.File, range.Events, range.First, range.Last);
                if (_failure is not null) GoingOn(logger);
                _failure = null;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is, no range counts without its files: trying again is safe.
                if (_failure != e.Message) Failing(logger, e);
                _failure = e.Message;
            }
            await Task.Delay(Rest, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{File} is archived: {Events} events, positions {First} to {Last}")]
    private static partial void Archived(ILogger logger, string file, long events, long first, long last);

    [LoggerMessage(Level = LogLevel.Error, Message = "The log cannot be archived; trying again until it can")]
    private static partial void Failing(ILogger logger, Exception e);

    [LoggerMessage(Level = LogLevel.Information, Message = "The log can be archived again")]
    private static partial void GoingOn(ILogger logger);
}
