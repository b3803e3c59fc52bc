using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Signup.Hosting.RabbitMq;

/// <summary>
/// Acknowledges what is done with, many at once: a quorum queue writes each acknowledgement to its disk. Nobody waits for one; what the process dies with comes again, and is known by what it did.
/// </summary>
/// <param name="prefetch">How many messages the broker hands out before it has their acknowledgements.</param>
internal sealed class Acknowledgements(IChannel channel, ushort prefetch)
{
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();

    /// <summary>By delivery tag, which counts the channel's messages from 1: all up to <see cref="_begun"/> have come here, and of those behind it, these.</summary>
    private readonly HashSet<ulong> _ahead = [];
    private ulong _begun;
    private readonly SortedSet<ulong> _inWork = [];
    private readonly List<ulong> _done = [];
    private Task _sent = Task.CompletedTask;

    /// <summary>Each message, before anything else becomes of it; they need not come in order. What is not done with later is never acknowledged.</summary>
    public void Begin(ulong deliveryTag)
    {
        lock (_lock)
        {
            _inWork.Add(deliveryTag);
            _ahead.Add(deliveryTag);
            while (_ahead.Remove(_begun + 1)) _begun++;
        }
    }

    /// <summary>It is done with. Returns before that is sent, as a rule.</summary>
    public async ValueTask EndAsync(ulong deliveryTag)
    {
        bool first, many;
        lock (_lock)
        {
            _inWork.Remove(deliveryTag);
            _done.Add(deliveryTag);
            first = _done.Count == 1;
            many = _done.Count >= Math.Max(1, prefetch / 4);
        }
        if (many) await SendAsync();
        else if (first) _ = SendLaterAsync();
    }

    /// <summary>After those that are being sent.</summary>
    /// <exception cref="AlreadyClosedException">The channel is lost: they are the broker's again.</exception>
    public Task SendAsync()
    {
        lock (_lock) return _sent = SendAsync(_sent);
    }

    private async Task SendAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var (upTo, single) = Take();
        if (upTo > 0) await channel.BasicAckAsync(upTo, multiple: true, CancellationToken.None);
        foreach (var tag in single) await channel.BasicAckAsync(tag, multiple: false, CancellationToken.None);
    }

    /// <returns>The last that can be acknowledged with all before it, 0 for none; and those that cannot, since one before them is still in work, and may be so for long.</returns>
    private (ulong UpTo, List<ulong> Single) Take()
    {
        lock (_lock)
        {
            var bound = _inWork.Count > 0 ? Math.Min(_begun, _inWork.Min - 1) : _begun;
            var (upTo, single) = (_done.Where(tag => tag <= bound).Max(tag => (ulong?)tag) ?? 0, _done.FindAll(tag => tag > bound));
            _done.Clear();
            return (upTo, single);
        }
    }

    private async Task SendLaterAsync()
    {
        await Task.Delay(Linger);
        await SendAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
