using Signup.Gateway.Pages;
using Signup.Gateway.Passwords;
using Signup.Hosting;

namespace Signup.Gateway;

/// <summary>Does once, before the first request, what the first request would else wait for: opens the channel to the broker, hashes, renders.</summary>
internal sealed partial class WarmUp(CommandClient commands, HashingPool pool, PageRenderer pages, ILogger<WarmUp> logger) : IHostedService
{
    /// <summary>A broker that is away is no reason not to start: the pages say so.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        await pool.HashAsync("warm", new byte[DerivedKeys.SaltLength], cancellationToken);
        await pages.RenderAsync<SignUpPage>(Texts.English, new Dictionary<string, object?> { [nameof(SignUpPage.FormToken)] = "", [nameof(SignUpPage.Key)] = "" });
        try
        {
            await commands.ConnectAsync(deadline.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            NotConnected(logger, e.Message);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Not connected to RabbitMQ yet: {Reason}")]
    private static partial void NotConnected(ILogger logger, string reason);
}
