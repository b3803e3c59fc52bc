using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Signup.Hosting;

public static class RehearsalServices
{
    /// <summary>
    /// Something to do once, for nobody, before the process is ready: what the first in need of it would else wait for, such as code that is yet to be compiled, or a connection.
    /// It leaves no trace. Where it fails or takes long, the process goes on without: the first will wait.
    /// </summary>
    public static IServiceCollection AddRehearsal(this IServiceCollection services, Func<IServiceProvider, CancellationToken, Task> rehearse) =>
        services.AddSingleton<IHostedService>(s => new Rehearsal(cancellation => rehearse(s, cancellation), s.GetRequiredService<ILogger<Rehearsal>>()));
}

internal sealed partial class Rehearsal(Func<CancellationToken, Task> rehearse, ILogger<Rehearsal> logger) : IHostedService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        try
        {
            var begun = Stopwatch.GetTimestamp();
            await rehearse(deadline.Token).WaitAsync(deadline.Token);
            var milliseconds = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            Rehearsed(logger, milliseconds);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            NotRehearsed(logger, e.Message);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Rehearsed in {Milliseconds:F0} ms")]
    private static partial void Rehearsed(ILogger logger, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Not rehearsed, so that the first will take longer: {Reason}")]
    private static partial void NotRehearsed(ILogger logger, string reason);
}
