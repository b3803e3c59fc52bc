using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Signup.Bench;

/// <summary>An SMTP server that takes all mails and keeps none: as little work as the protocol allows, so that it measures the client.</summary>
public sealed class Sink : IDisposable
{
    private static readonly byte[] EndOfMail = "\r\n.\r\n"u8.ToArray();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TimeSpan _pause;
    private readonly Lock _lock = new();
    private TimeSpan _ramp;
    private int _mails, _counted;
    private long _begun, _first, _last;

    /// <param name="pause">Before the answer to each mail.</param>
    public Sink(TimeSpan pause = default)
    {
        _pause = pause;
        _listener.Start(100);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    public int Port { get; }
    public int Mails => Volatile.Read(ref _mails);

    /// <summary>From the first one that counts to the last.</summary>
    public double MailsPerSecond => (_counted - 1) / Stopwatch.GetElapsedTime(_first, _last).TotalSeconds;

    /// <summary>Counts anew, the mails a second from <paramref name="ramp"/> after the first on.</summary>
    public void Restart(TimeSpan ramp)
    {
        lock (_lock) (_ramp, _mails, _counted, _begun) = (ramp, 0, 0, 0);
    }

    public void Dispose() => _listener.Stop();

    private void Count()
    {
        lock (_lock)
        {
            _last = Stopwatch.GetTimestamp();
            if (++_mails == 1) _begun = _last;
            if (Stopwatch.GetElapsedTime(_begun, _last) < _ramp) return;
            if (++_counted == 1) _first = _last;
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var _ = socket;
        socket.NoDelay = true;
        var buffer = new byte[64 * 1024];
        var (filled, inMail) = (0, false);
        await SayAsync(socket, "220 sink");
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(filled));
            if (read == 0) return;
            filled += read;
            while (true)
            {
                var pending = buffer.AsMemory(0, filled);
                var end = pending.Span.IndexOf(inMail ? EndOfMail : "\r\n"u8);
                if (end < 0) break;
                var line = inMail ? "" : Encoding.ASCII.GetString(pending.Span[..end]);
                var next = end + (inMail ? EndOfMail.Length : 2);
                pending[next..].CopyTo(buffer);
                filled -= next;
                if (inMail)
                {
                    inMail = false;
                    if (_pause > TimeSpan.Zero) await Task.Delay(_pause);
                    Count();
                    await SayAsync(socket, "250 taken");
                }
                else if (line.StartsWith("EHLO", StringComparison.Ordinal)) await SayAsync(socket, "250-sink\r\n250-PIPELINING\r\n250 8BITMIME");
                else if (line == "DATA")
                {
                    inMail = true;
                    await SayAsync(socket, "354 go ahead");
                }
                else await SayAsync(socket, line == "QUIT" ? "221 bye" : "250 ok");
            }
        }
    }

    private static Task<int> SayAsync(Socket socket, string line) => socket.SendAsync(Encoding.ASCII.GetBytes(line + "\r\n"));
}
