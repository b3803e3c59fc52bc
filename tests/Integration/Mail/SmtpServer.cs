using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;

namespace Signup.Tests.Integration.Mail;

/// <summary>A mail as the server took it.</summary>
public sealed partial record ReceivedMail(int Connection, string From, string Recipient, string Text, DateTimeOffset At)
{
    public string MessageId => Header("Message-Id");
    public string Subject => Header("Subject");

    /// <summary>The first link in it.</summary>
    public string Link => LinkPattern().Match(Text).Value;

    /// <summary>A header's value, unfolded; empty where there is none.</summary>
    public string Header(string name)
    {
        var head = Regex.Replace(Text[..Text.IndexOf("\r\n\r\n", StringComparison.Ordinal)], "\r\n[ \t]+", " ");
        return Regex.Match(head, $"^{name}: ?(.*?)\r?$", RegexOptions.Multiline | RegexOptions.IgnoreCase).Groups[1].Value;
    }

    [GeneratedRegex(@"https?://\S+/activate\?token=[\w-]+")]
    private static partial Regex LinkPattern();
}

/// <summary>What the server answers; null: as usual. May take its time, and may throw <see cref="HangUpException"/>.</summary>
public delegate Task<string?> Script(SmtpSession session, string argument);

/// <summary>Ends a connection without a word; within a mail, after it has been received.</summary>
public sealed class HangUpException : Exception;

/// <summary>An SMTP server on a TCP port that does as the test says.</summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedMail> _mails = new();
    private readonly ConcurrentDictionary<TcpClient, bool> _connections = new();
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;
    private int _count, _open, _mostOpen;

    public SmtpServer()
    {
        using var any = new TcpListener(IPAddress.Loopback, 0);
        any.Start();
        Port = ((IPEndPoint)any.LocalEndpoint).Port;
    }

    public int Port { get; }
    public List<string> Capabilities { get; } = ["PIPELINING", "8BITMIME", "SIZE 1000000"];

    /// <summary>Offered where there is <see cref="OnAuth"/>.</summary>
    public string Authentication { get; init; } = "PLAIN";

    // Steps of the conversation, in order.
    public Script? OnConnect { get; set; }
    public Script? OnAuth { get; set; }
    public Script? OnMailFrom { get; set; }
    public Script? OnRecipient { get; set; }

    /// <summary>The mail is complete; it counts as received unless the answer is something else than 250.</summary>
    public Script? OnMail { get; set; }

    /// <summary>Offered by STARTTLS where it is set.</summary>
    public X509Certificate2? Certificate { get; set; }

    public IReadOnlyCollection<ReceivedMail> Mails => _mails;

    /// <summary>How many connections there have been.</summary>
    public int Connections => _count;

    /// <summary>How many there are.</summary>
    public int Open => _open;

    /// <summary>The most there have been at once.</summary>
    public int MostAtOnce => _mostOpen;

    public Dictionary<string, string> Settings => new()
    {
        ["Smtp__Host"] = "localhost",
        ["Smtp__Port"] = Port.ToString(CultureInfo.InvariantCulture),
        ["Smtp__Security"] = Certificate is null ? "None" : "StartTls",
    };

    public SmtpServer Start()
    {
        var listener = _listener = new TcpListener(IPAddress.Loopback, Port);
        listener.Start(512);
        _accepting = AcceptAsync(listener);
        return this;
    }

    /// <summary>No connection is accepted any more, and those there are break.</summary>
    public async Task StopAsync()
    {
        _listener?.Stop();
        _listener = null;
        foreach (var connection in _connections.Keys) connection.Client.Close(0);
        await _accepting.WaitAsync(Wait.Deadline);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Certificate?.Dispose();
    }

    internal void Receive(ReceivedMail mail) => _mails.Enqueue(mail);

    private async Task AcceptAsync(TcpListener listener)
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
            _ = ServeAsync(client, Interlocked.Increment(ref _count));
        }
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        _connections[client] = true;
        _mostOpen = Math.Max(_mostOpen, Interlocked.Increment(ref _open));
        try
        {
            client.NoDelay = true;
            await new SmtpSession(this, number, client.GetStream()).ServeAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or HangUpException or OperationCanceledException)
        {
            // The client went away, or the script says so.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
            _connections.TryRemove(client, out _);
            client.Client?.Close(0);
            client.Dispose();
        }
    }
}

/// <summary>One connection.</summary>
public sealed class SmtpSession(SmtpServer server, int number, Stream stream)
{
    private Stream _stream = stream;
    private StreamReader _reader = Reader(stream);
    private string _from = "";
    private readonly List<string> _recipients = [];

    public int Number => number;
    public bool IsEncrypted => _stream is SslStream;

    /// <summary>How many mails were sent over it.</summary>
    public int Mails { get; private set; }

    public async Task ServeAsync()
    {
        var greeting = await Say(server.OnConnect, "", "220 test.example ESMTP");
        if (!greeting.StartsWith("220", StringComparison.Ordinal)) return;
        while (await _reader.ReadLineAsync() is { } line)
        {
            var verb = line.Split(' ', ':')[0].ToUpperInvariant();
            switch (verb)
            {
                case "EHLO":
                    var lines = new List<string> { "test.example" };
                    lines.AddRange(server.Capabilities);
                    if (server.Certificate is not null && _stream is not SslStream) lines.Add("STARTTLS");
                    if (server.OnAuth is not null) lines.Add($"AUTH {server.Authentication}");
                    await WriteAsync(string.Join("\r\n", lines.Select((l, i) => $"250{(i == lines.Count - 1 ? ' ' : '-')}{l}")));
                    break;
                case "STARTTLS":
                    await WriteAsync("220 go ahead");
                    var tls = new SslStream(_stream);
                    await tls.AuthenticateAsServerAsync(server.Certificate!);
                    (_stream, _reader) = (tls, Reader(tls));
                    break;
                case "AUTH":
                    await Say(server.OnAuth, line, "235 2.7.0 welcome");
                    break;
                case "MAIL":
                    _recipients.Clear();
                    _from = Address(line);
                    await Say(server.OnMailFrom, _from, "250 2.1.0 ok");
                    break;
                case "RCPT":
                    var answer = await Say(server.OnRecipient, Address(line), "250 2.1.5 ok");
                    if (answer.StartsWith('2')) _recipients.Add(Address(line));
                    break;
                case "DATA" when _recipients.Count == 0:
                    await WriteAsync("503 5.5.1 no recipient");
                    break;
                case "DATA":
                    await WriteAsync("354 go ahead");
                    await TakeMailAsync();
                    break;
                case "QUIT":
                    await WriteAsync("221 bye");
                    return;
                default:
                    await WriteAsync("250 2.0.0 ok");
                    break;
            }
            if (_closing) return;
        }
    }

    private bool _closing;

    private async Task TakeMailAsync()
    {
        var text = new StringBuilder();
        while (true)
        {
            var line = await _reader.ReadLineAsync() ?? throw new IOException("The client hung up within a mail.");
            if (line == ".") break;
            text.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        }
        Mails++;
        string? answer;
        try
        {
            answer = server.OnMail is null ? null : await server.OnMail(this, text.ToString());
        }
        catch (HangUpException)
        {
            Receive();
            throw;
        }
        if (answer is null || answer.StartsWith("250", StringComparison.Ordinal))
            Receive();
        await WriteAsync(answer ?? "250 2.0.0 taken");

        void Receive()
        {
            foreach (var recipient in _recipients) server.Receive(new(number, _from, recipient, text.ToString(), DateTimeOffset.UtcNow));
        }
    }

    private async Task<string> Say(Script? script, string argument, string usual)
    {
        var answer = (script is null ? null : await script(this, argument)) ?? usual;
        await WriteAsync(answer);
        _closing = answer.StartsWith("421", StringComparison.Ordinal);
        return answer;
    }

    private Task WriteAsync(string line) => _stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n")).AsTask();

    private static StreamReader Reader(Stream stream) => new(stream, new UTF8Encoding(false), false, 16 * 1024, leaveOpen: true);

    private static string Address(string line) => line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..line.LastIndexOf('>')];
}
