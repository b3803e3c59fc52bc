using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.ServiceControl;

/// <summary>An address that may not be there, for messages that may be lost. Where nobody has made it, nothing is sent, and it is looked for
/// again after a growing rest: publishing to an exchange that does not exist would close the channel every time.</summary>
internal sealed partial class MaybeAddress(Broker broker, string address, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(5), LongestRest = TimeSpan.FromSeconds(15), Patience = TimeSpan.FromSeconds(5);

    private IChannel? _channel;
    private TimeSpan _rest;
    private DateTimeOffset _restUntil;

    /// <summary>For one caller at a time. Never throws but on cancellation.</summary>
    /// <returns>False: it was not sent, and is not kept.</returns>
    public async Task<bool> TrySendAsync(Reported message, CancellationToken cancellation)
    {
        if (time.GetUtcNow() < _restUntil) return false;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            if (_channel is not { IsOpen: true })
            {
                await CloseAsync();
                _channel = await broker.OpenChannelAsync(patience.Token);
                await _channel.ExchangeDeclarePassiveAsync(address, patience.Token);
            }
            await _channel.BasicPublishAsync(address, routingKey: "", mandatory: false, message.Properties, message.Body, patience.Token);
            if (_rest > TimeSpan.Zero) Found(logger, address);
            _rest = TimeSpan.Zero;
            return true;
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            if (_rest == TimeSpan.Zero) NotThere(logger, address, e.Message);
            await CloseAsync();
            _rest = _rest == TimeSpan.Zero ? FirstRest : _rest * 2 < LongestRest ? _rest * 2 : LongestRest;
            _restUntil = time.GetUtcNow() + _rest;
            return false;
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    private async Task CloseAsync()
    {
        var channel = _channel;
        _channel = null;
        if (channel is null) return;
        try
        {
            await channel.DisposeAsync();
        }
        catch (Exception e)
        {
            // It is broken, which is why it goes.
            _ = e;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} cannot be reached; what it would have been told is forgotten ({Reason})")]
    private static partial void NotThere(ILogger logger, string address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} can be reached")]
    private static partial void Found(ILogger logger, string address);
}
