using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Signup.Hosting.ServiceControl;

/// <summary>Watches the messages that are committed and not yet with the broker. Each leaves within a moment; where one stays, either the broker is
/// away or nobody is left to send what a dead process had committed.</summary>
internal sealed class Outbox : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5), Alarming = TimeSpan.FromMinutes(1);

    private readonly NpgsqlDataSource _database;
    private readonly TimeProvider _time;
    private readonly string _table;
    private readonly Meter _meter;
    private Dictionary<Guid, DateTimeOffset> _seen = [];
    private (long Messages, TimeSpan Age) _backlog;

    public Outbox(NpgsqlDataSource database, EndpointIdentity self, TimeProvider time, IMeterFactory meters)
    {
        (_database, _time, _table) = (database, time, $"{self.Name}.wolverine_outgoing_envelopes");
        _meter = meters.Create("Signup.Hosting");
        _meter.CreateObservableGauge("signup.outbox.messages", () => _backlog.Messages, "{message}", "Messages that are committed and not yet with the broker.");
        _meter.CreateObservableGauge("signup.outbox.age", () => _backlog.Age.TotalSeconds, "s", "For how long the oldest of them has been seen there.");
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var (messages, age) = _backlog;
        var data = new Dictionary<string, object> { ["messages"] = messages, ["ageSeconds"] = age.TotalSeconds };
        return Task.FromResult(age > Alarming
            ? HealthCheckResult.Degraded($"{messages} messages are committed and not sent, the oldest for {age.TotalSeconds:0} s.", data: data)
            : HealthCheckResult.Healthy(data: data));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await LookAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Rows carry no time; how long one has been there is how long it has been seen.</summary>
    private async Task LookAsync(CancellationToken cancellation)
    {
        try
        {
            var now = _time.GetUtcNow();
            var seen = new Dictionary<Guid, DateTimeOffset>();
            // A handful tells the age; the count is of all.
            await using var command = _database.CreateCommand($"select count(*) over (), id from {_table} order by id limit 1000");
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var messages = 0L;
            while (await reader.ReadAsync(cancellation))
            {
                messages = reader.GetInt64(0);
                var id = reader.GetGuid(1);
                seen[id] = _seen.GetValueOrDefault(id, now);
            }
            (_seen, _backlog) = (seen, (messages, seen.Count == 0 ? TimeSpan.Zero : now - seen.Values.Min()));
        }
        catch (NpgsqlException)
        {
            // That the database is away is said by its own check. What waits goes on ageing.
            if (_backlog.Messages > 0) _backlog = (_backlog.Messages, _time.GetUtcNow() - _seen.Values.Min());
        }
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }
}

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
