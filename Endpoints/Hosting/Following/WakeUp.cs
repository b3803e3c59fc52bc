using System.Threading.Channels;

namespace Signup.Hosting.Following;

/// <summary>Ends the rest of whoever waits for something to do. Signals that come while it works, or one after the other, are one signal.</summary>
public sealed class WakeUp
{
    /// <summary>Between two looks while events keep coming, so that they are taken by the dozen: each look costs the server a transaction, however few it finds.</summary>
    internal static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(100);

    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Signal() => _signal.Writer.TryWrite(true);

    /// <summary>Returns at the next signal, or when <paramref name="rest"/> is over.</summary>
    /// <returns>Whether there was a signal.</returns>
    public async Task<bool> WaitAsync(TimeSpan rest, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(rest);
        try
        {
            return await _signal.Reader.ReadAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }
}
