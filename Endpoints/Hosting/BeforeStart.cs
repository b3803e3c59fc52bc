using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Signup.Hosting;

public static class BeforeStartServices
{
    /// <summary>Something to do before anything that the process consists of is started; one after the other, in the order in which they are added.</summary>
    public static IServiceCollection AddBeforeStart(this IServiceCollection services, Func<IServiceProvider, CancellationToken, Task> work) =>
        services.AddSingleton<IHostedService>(s => new BeforeStart(cancellation => work(s, cancellation)));

    private sealed class BeforeStart(Func<CancellationToken, Task> work) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => work(cancellationToken);
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
