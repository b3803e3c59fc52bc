using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Signup.Tests.Integration.Operations;

/// <param name="Parent">Hex; empty for the first of a trace.</param>
public sealed record Span(string Service, string Name, string Trace, string Id, string Parent);

/// <summary>Takes what processes export by OTLP over HTTP, and reads as much of the protobuf as tests ask for (opentelemetry-proto, trace/v1 and metrics/v1).</summary>
public sealed class TelemetrySink : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _running;

    public TelemetrySink()
    {
        using (var socket = new TcpListener(IPAddress.Loopback, 0))
        {
            socket.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)socket.LocalEndpoint).Port}";
        }
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _running = Task.Run(TakeAsync);
    }

    public string Url { get; }
    public ConcurrentQueue<Span> Spans { get; } = [];
    public ConcurrentDictionary<string, bool> Metrics { get; } = [];

    /// <summary>Everything that came, as text: to look for what must not be in it.</summary>
    public ConcurrentQueue<string> Raw { get; } = [];

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _running.WaitAsync(Wait.Deadline);
    }

    private async Task TakeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                Take(context.Request.Url!.AbsolutePath, body.ToArray());
                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
            {
                return;
            }
        }
    }

    private void Take(string path, byte[] body)
    {
        Raw.Enqueue(Encoding.UTF8.GetString(body));
        foreach (var resource in Fields(body, 1))
        {
            if (path == "/v1/traces")
            {
                var service = Fields(Fields(resource, 1).Single(), 1).Where(a => Text(a, 1) == "service.name").Select(a => Text(Fields(a, 2).Single(), 1)).Single();
                foreach (var span in Fields(resource, 2).SelectMany(scope => Fields(scope, 2)))
                    Spans.Enqueue(new Span(service, Text(span, 5), Hex(span, 1), Hex(span, 2), Hex(span, 4)));
            }
            else if (path == "/v1/metrics")
            {
                foreach (var metric in Fields(resource, 2).SelectMany(scope => Fields(scope, 2))) Metrics[Text(metric, 1)] = true;
            }
        }
    }

    private static string Text(byte[] message, int field) => Fields(message, field).Select(Encoding.UTF8.GetString).FirstOrDefault() ?? "";
    private static string Hex(byte[] message, int field) => Fields(message, field).Select(Convert.ToHexStringLower).FirstOrDefault() ?? "";

    /// <summary>The length-delimited fields of that number.</summary>
    private static List<byte[]> Fields(byte[] message, int wanted)
    {
        var found = new List<byte[]>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            switch (key & 7)
            {
                case 0: Varint(message, ref at); break;
                case 1: at += 8; break;
                case 5: at += 4; break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    if ((int)(key >> 3) == wanted) found.Add(message[at..(at + length)]);
                    at += length;
                    break;
                default: throw new FormatException($"wire type {key & 7}");
            }
        }
        return found;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var b = message[at++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return value;
        }
    }
}
