using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Signup.Hosting.RabbitMq;

/// <summary>The message could not be handed to the broker.</summary>
public sealed class BrokerUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Something of it was written: the broker may have it, or get it yet. False: it has nothing, and gets nothing.</summary>
    public bool MayBeThere { get; init; }
}

/// <summary>One connection to RabbitMQ, opened when first needed and again after it was lost: at another node, where there are several.</summary>
public sealed class Broker(BrokerNodes nodes, EndpointIdentity identity) : IAsyncDisposable
{
    /// <summary>A process that is frozen or cut off keeps what was delivered to it for two to three of it, then the node gives it to another (RabbitMQ, rabbit_heartbeat.erl).</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(3);

    /// <summary>Where there are others to go to: a node that does not answer is given up after three to four of it (RabbitMQ.Client, Connection.Heartbeat). Below 5 s it may be given up
    /// for nothing, says RabbitMQ's documentation; that costs no more than a node that was started again does, and a longer one keeps everybody waiting who relies on the node.</summary>
    private static readonly TimeSpan HeartbeatOfMany = TimeSpan.FromSeconds(1);

    /// <summary>So long a node may take to let one in, where there are others.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private IConnection? _connection;
    private Uri? _node;
    private volatile string? _blockedBy;

    /// <summary>The server's, as it said when it was last connected to.</summary>
    public Version? Version => _connection?.ServerProperties is { } server && server.TryGetValue("version", out var value) && value is byte[] said && Version.TryParse(Encoding.ASCII.GetString(said).Split('-', '+')[0], out var version) ? version : null;

    public bool IsConnected => _connection is { IsOpen: true };

    /// <summary>Why the broker takes no messages at present, though it is there: it is short of memory or of room on its disk. Null while it takes them,
    /// as far as is known: it says so to whoever publishes, and not before.</summary>
    public string? BlockedBy => IsConnected ? _blockedBy : null;

    /// <summary>A channel on which a publish completes once the broker has taken responsibility for the message, and throws where it has not,
    /// or where no queue would get it.</summary>
    public async Task<IChannel> OpenConfirmingChannelAsync(CancellationToken cancellation)
    {
        var channel = await OpenAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true,
            outstandingPublisherConfirmationsRateLimiter: null), cancellation);
        // Where a channel's first message comes while a queue has just lost its leader, RabbitMQ 3 refuses that one and all that follow by this channel, and takes them by any other
        // (rabbit_fifo_client, register_enqueuer).
        channel.BasicNacksAsync += (_, _) =>
        {
            _ = AbandonAsync(() => channel.AbortAsync());
            return Task.CompletedTask;
        };
        return channel;
    }

    /// <summary>A channel on which a publish is only handed to the network: for what may be lost.</summary>
    /// <param name="concurrency">How many messages its consumers take at once.</param>
    public Task<IChannel> OpenChannelAsync(CancellationToken cancellation, ushort concurrency = 1) =>
        OpenAsync(new CreateChannelOptions(publisherConfirmationsEnabled: false, publisherConfirmationTrackingEnabled: false, consumerDispatchConcurrency: concurrency), cancellation);

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync();
        _gate.Dispose();
    }

    /// <summary>A node that is cut off is noticed by one connection seconds before the other, by which all would be lost that is sent until then.</summary>
    private void LeaveWithOthers(IConnection connection, Uri node)
    {
        nodes.Lost += Leave;
        connection.ConnectionShutdownAsync += (_, shutdown) =>
        {
            nodes.Lost -= Leave;
            if (shutdown.Initiator == ShutdownInitiator.Library) nodes.Lose(node);
            return Task.CompletedTask;
        };

        void Leave(Uri lost)
        {
            if (lost == node) _ = AbandonAsync(() => connection.AbortAsync());
        }
    }

    /// <summary>Not by the thread that has brought the news: it would wait for itself.</summary>
    private static async Task AbandonAsync(Func<Task> abort)
    {
        await Task.Yield();
        await abort().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
                // It may take 20 s to be done with a node that does not answer.
                if (_connection is { } lost) _ = AbandonAsync(() => lost.DisposeAsync().AsTask());
                var connection = await ConnectAsync(cancellation);
                _blockedBy = null;
                connection.ConnectionBlockedAsync += (_, blocked) => SetBlockedAsync(blocked.Reason);
                connection.ConnectionUnblockedAsync += (_, _) => SetBlockedAsync(null);
                LeaveWithOthers(connection, _node!);
                _connection = connection;
            }
            return await _connection.CreateChannelAsync(options, cancellation);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>To any node, so that all are used; last to the one that was lost, or would not let us in the last time.</summary>
    private async Task<IConnection> ConnectAsync(CancellationToken cancellation)
    {
        Uri[] others = [.. nodes.All.Where(node => node != _node)];
        Random.Shared.Shuffle(others);
        Uri[] order = _node is null ? others : [.. others, _node];
        for (var i = 0; ; i++)
        {
            // Recovery is by opening anew: the library's own would bring back channels whose publishes have already failed.
            var factory = new ConnectionFactory { Uri = _node = order[i], AutomaticRecoveryEnabled = false, ClientProvidedName = identity.Name, RequestedHeartbeat = Heartbeat };
            if (nodes.All.Count > 1) (factory.RequestedHeartbeat, factory.RequestedConnectionTimeout, factory.HandshakeContinuationTimeout) = (HeartbeatOfMany, Patience, Patience);
            try
            {
                return await factory.CreateConnectionAsync(cancellation);
            }
            catch (BrokerUnreachableException) when (i < order.Length - 1)
            {
            }
        }
    }
}
