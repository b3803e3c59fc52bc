using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Wolverine.Runtime;

namespace Signup.Hosting;

/// <summary>Makes each handler at the start, rather than while the first user waits for it, and finds what cannot be made; ready once that is done.</summary>
internal sealed class WarmUp(IWolverineRuntime runtime) : IHostedLifecycleService, IHealthCheck
{
    private volatile bool _done;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        foreach (var chain in ((WolverineRuntime)runtime).Handlers.Chains) ((WolverineRuntime)runtime).Handlers.HandlerFor(chain.MessageType);
        _done = true;
        return Task.CompletedTask;
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_done ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("Starting."));

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
