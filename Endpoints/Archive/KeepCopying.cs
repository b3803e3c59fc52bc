using Microsoft.Extensions.Diagnostics.HealthChecks;
using Signup.EventLog;

namespace Signup.Archive;

/// <summary>Copies each segment once it is full and old enough, for as long as the process runs. Any number of processes may: one at a time does.</summary>
internal sealed partial class KeepCopying(Npgsql.NpgsqlDataSource database, ArchiveSettings settings, TimeProvider time, ILogger<KeepCopying> logger) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    private readonly Archiver _archiver = new(database, new LogReader(database, asStored: true), settings, time);
    private volatile string? _failure;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_failure is { } failure ? HealthCheckResult.Degraded($"Nothing is archived: {failure}") : HealthCheckResult.Healthy());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var segment in _archiver.CopyAsync(until: null, stoppingToken)) Closed(logger, segment.File, segment.Count, segment.First, segment.Last);
                _failure = null;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is, no checkpoint has moved without its file: trying again is safe.
                if (_failure is null) Failing(logger, e);
                _failure = e.Message;
            }
            await Task.Delay(Rest, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{File} is closed: {Count} events, positions {First} to {Last}")]
    private static partial void Closed(ILogger logger, string file, long count, long first, long last);

    [LoggerMessage(Level = LogLevel.Error, Message = "The log cannot be archived, trying again until it can")]
    private static partial void Failing(ILogger logger, Exception e);
}
