using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Signup.Tests.Fixture;

/// <summary>One endpoint, or the gateway, as a process of its own.</summary>
public sealed class SignupProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private static readonly ConcurrentDictionary<int, bool> Given = [];
    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(2);

    /// <summary>Longer than the half minute that an endpoint gives itself.</summary>
    private static readonly TimeSpan LongestEnd = TimeSpan.FromMinutes(1);
    private readonly ProcessStartInfo _start;
    private readonly string _log;
    private Process? _process;
    private bool _disposed;

    public SignupProcess(string name, string dll, string log, IReadOnlyDictionary<string, string> settings)
    {
        (Name, _log) = (name, log);
        Url = FreeUrl();
        _start = new ProcessStartInfo("dotnet", [dll]);
        foreach (var (key, value) in settings) _start.Environment[key] = value;
        _start.Environment["ASPNETCORE_URLS"] = Url;
        // Whoever ends a test that hangs finds it by this.
        _start.Environment["SIGNUP_TEST_LOG"] = log;
    }

    public string Name { get; }
    public string Url { get; }

    /// <summary>The process id, once it was started.</summary>
    public int Id => _process!.Id;

    public void Set(string key, string value) => _start.Environment[key] = value;

    public async Task StartAsync()
    {
        // By a test that was given up, and has not noticed.
        ObjectDisposedException.ThrowIf(_disposed, this);
        var process = _process = Command.StartQuietly(_start);
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Wait.UntilAsync(async () =>
        {
            if (process.HasExited) throw new InvalidOperationException($"{Name} ended at its start:\n{Tail()}");
            return (await Http.GetAsync($"{Url}/health/ready")).IsSuccessStatusCode;
        }, $"{Name} is ready", LongestStart);
    }

    /// <summary>SIGKILL: no goodbye.</summary>
    public async Task KillAsync()
    {
        if (_process is not { HasExited: false } process) return;
        process.Kill();
        await Command.EndAsync(process, LongestEnd, Tail);
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    public async Task StopAsync()
    {
        if (_process is not { HasExited: false } process) return;
        await SignalAsync("TERM");
        await Command.EndAsync(process, LongestEnd, Tail);
    }

    public Task FreezeAsync() => SignalAsync("STOP");
    public Task ContinueAsync() => SignalAsync("CONT");

    /// <summary>What it has logged, the lines with that word.</summary>
    public string[] LogLines(string word)
    {
        lock (_start) return File.Exists(_log) ? [.. File.ReadLines(_log).Where(l => l.Contains(word, StringComparison.Ordinal))] : [];
    }

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await KillAsync();
        _process?.Dispose();
    }

    private string Tail() => File.Exists(_log) ? string.Join('\n', File.ReadLines(_log).TakeLast(40)) : "(no log)";

    private async Task SignalAsync(string signal) =>
        await Command.RunAsync(new ProcessStartInfo("kill", [$"-{signal}", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]));

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_start) File.AppendAllText(_log, line + "\n");
    }

    /// <summary>An address of this machine with a port that nobody has, and that nobody was given: a process that is not listening yet would be taken for ready where another one answers in its place.</summary>
    public static string FreeUrl()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            if (Given.TryAdd(port, true)) return $"http://127.0.0.1:{port}";
        }
    }
}
