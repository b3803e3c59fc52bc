using System.Net;
using System.Net.Sockets;

namespace Signup.Tests.Integration.Gateway;

/// <summary>A line to the broker that can be made to stall: what is written into it stays on its way, as before a broker that does not read.</summary>
public sealed class StallableLine : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _to;
    private TaskCompletionSource _flows = Flowing();

    public StallableLine(Uri to)
    {
        _to = to;
        _listener.Start();
        Uri = new UriBuilder(to) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;
        _ = AcceptAsync();
    }

    /// <summary>The broker, by way of this line.</summary>
    public Uri Uri { get; }

    public void Stall() => _flows = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Flow() => _flows.TrySetResult();

    public void Dispose()
    {
        Flow();
        _listener.Dispose();
    }

    private static TaskCompletionSource Flowing()
    {
        var flowing = new TaskCompletionSource();
        flowing.SetResult();
        return flowing;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await _listener.AcceptTcpClientAsync();
                var far = new TcpClient();
                await far.ConnectAsync(_to.Host, _to.Port);
                _ = CopyAsync(near.GetStream(), far.GetStream());
                _ = CopyAsync(far.GetStream(), near.GetStream());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[4096];
        try
        {
            while (await from.ReadAsync(buffer) is > 0 and var read)
            {
                await _flows.Task;
                await to.WriteAsync(buffer.AsMemory(0, read));
            }
            to.Close();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // One end is gone.
        }
    }
}
