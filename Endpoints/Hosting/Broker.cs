using System.Text;
using RabbitMQ.Client;

namespace Signup.Hosting;

/// <summary>The message could not be handed to the broker.</summary>
public sealed class BrokerUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Something of it was written: the broker may have it, or get it yet. False: it has nothing, and gets nothing.</summary>
    public bool MayBeThere { get; init; }
}

/// <summary>One connection to RabbitMQ, opened when first needed and again after it was lost.</summary>
public sealed class Broker(Uri uri, EndpointIdentity identity) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private IConnection? _connection;
    private volatile string? _blockedBy;

    /// <summary>The server's, as it said when it was last connected to.</summary>
    public Version? Version => _connection?.ServerProperties is { } server && server.TryGetValue("version", out var value) && value is byte[] said && Version.TryParse(Encoding.ASCII.GetString(said).Split('-', '+')[0], out var version) ? version : null;

    public bool IsConnected => _connection is { IsOpen: true };

    /// <summary>Why the broker takes no messages at present, though it is there: it is short of memory or of room on its disk. Null while it takes them,
    /// as far as is known: it says so to whoever publishes, and not before.</summary>
    public string? BlockedBy => IsConnected ? _blockedBy : null;

    /// <summary>A channel on which a publish completes once the broker has taken responsibility for the message, and throws where it has not,
    /// or where no queue would get it.</summary>
    public Task<IChannel> OpenConfirmingChannelAsync(CancellationToken cancellation) =>
        OpenAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true,
            outstandingPublisherConfirmationsRateLimiter: null), cancellation);

    /// <summary>A channel on which a publish is only handed to the network: for what may be lost.</summary>
    /// <param name="concurrency">How many messages its consumers take at once.</param>
    public Task<IChannel> OpenChannelAsync(CancellationToken cancellation, ushort concurrency = 1) =>
        OpenAsync(new CreateChannelOptions(publisherConfirmationsEnabled: false, publisherConfirmationTrackingEnabled: false, consumerDispatchConcurrency: concurrency), cancellation);

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync();
        _gate.Dispose();
    }

    private Task SetBlockedAsync(string? reason)
    {
        _blockedBy = reason;
        return Task.CompletedTask;
    }

    private async Task<IChannel> OpenAsync(CreateChannelOptions options, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            if (_connection is not { IsOpen: true })
            {
                if (_connection is not null) await _connection.DisposeAsync();
                // Recovery is by opening anew: the library's own would bring back channels whose publishes have already failed.
                var factory = new ConnectionFactory { Uri = uri, AutomaticRecoveryEnabled = false, ClientProvidedName = identity.Name };
                var connection = await factory.CreateConnectionAsync(cancellation);
                _blockedBy = null;
                connection.ConnectionBlockedAsync += (_, blocked) => SetBlockedAsync(blocked.Reason);
                connection.ConnectionUnblockedAsync += (_, _) => SetBlockedAsync(null);
                _connection = connection;
            }
            return await _connection.CreateChannelAsync(options, cancellation);
        }
        finally
        {
            _gate.Release();
        }
    }
}

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
