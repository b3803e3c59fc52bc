using System.Diagnostics;
using System.Globalization;
using Signup.Tests.Fixture;

namespace Signup.Bench.Alone;

/// <summary>A copy of the system, with parts of its own, as <c>./run</c> starts it.</summary>
internal sealed class Copy : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private static readonly string State = Path.Combine(Parts.State, "alone");

    private readonly Process _process;

    private Copy(Process process) => _process = process;

    public Uri Url { get; private set; } = null!;

    /// <summary>The gateway and all endpoints, by name.</summary>
    public IReadOnlyDictionary<string, int> Processes { get; private set; } = null!;

    public static async Task<Copy> StartAsync()
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(Parts.Root, "run")]);
        start.Environment["SIGNUP_STATE"] = State;
        start.Environment["RateLimiting__SignUpsPerMinute"] = "0";
        var process = Command.StartQuietly(start);
        var (ready, output) = (new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously), new List<string>());
        process.OutputDataReceived += (_, line) => Heard(line.Data);
        process.ErrorDataReceived += (_, line) => Heard(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var copy = new Copy(process);
        try
        {
            var ended = process.WaitForExitAsync();
            if (await Task.WhenAny(ready.Task, ended).WaitAsync(Deadline) == ended) throw new InvalidOperationException("It has ended.");
            copy.Url = await ready.Task;
            copy.Processes = SignupSystem.All.ToDictionary(name => name, name => ProcessOf(name));
            return copy;
        }
        catch (Exception e)
        {
            await copy.DisposeAsync();
            lock (output) throw new InvalidOperationException($"./run has not become ready:\n{string.Join('\n', output)}", e);
        }

        void Heard(string? line)
        {
            if (line is null) return;
            lock (output) output.Add(line);
            if (line.StartsWith("Signup is ready: ", StringComparison.Ordinal)) ready.TrySetResult(new Uri(line["Signup is ready: ".Length..]));
        }
    }

    /// <summary>As Ctrl-C does: all of it ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await Command.RunAsync(new ProcessStartInfo("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]));
        await Command.EndAsync(_process, Deadline, () => "");
        _process.Dispose();
    }

    /// <summary>As ./run notes it.</summary>
    private static int ProcessOf(string name) => int.Parse(File.ReadAllText(Path.Combine(State, "run", $"{name}.pid")).Split()[0], CultureInfo.InvariantCulture);
}
