using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Signup.Hosting;

/// <summary>What is made at a part, RabbitMQ or PostgreSQL, before anything else starts; a part that is not there yet is waited for.</summary>
internal abstract partial class Preparation(string part, ILogger logger) : IHostedLifecycleService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected abstract Task PrepareAsync(CancellationToken cancellation);

    /// <summary>Whether the way to the part failed, or the part itself, rather than what was asked of it.</summary>
    protected abstract bool MayPass(Exception e);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await PrepareAsync(cancellationToken);
                return;
            }
            catch (Exception e) when (MayPass(e))
            {
                Away(logger, part, e.InnerException?.Message ?? e.Message);
                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Part} cannot be reached, trying again: {Reason}")]
    private static partial void Away(ILogger logger, string part, string reason);
}
