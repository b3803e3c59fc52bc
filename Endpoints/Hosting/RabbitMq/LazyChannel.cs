using RabbitMQ.Client;

namespace Signup.Hosting.RabbitMq;

/// <summary>A channel that is opened when first needed and again after it was lost.</summary>
internal sealed class LazyChannel(Func<CancellationToken, Task<IChannel>> open) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private IChannel? _channel;

    public async ValueTask<IChannel> GetAsync(CancellationToken cancellation)
    {
        if (_channel is { IsOpen: true } ready) return ready;
        await _gate.WaitAsync(cancellation);
        try
        {
            if (_channel is { IsOpen: true } opened) return opened;
            if (_channel is not null) await _channel.DisposeAsync();
            return _channel = await open(cancellation);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null) await _channel.DisposeAsync();
        _gate.Dispose();
    }
}
