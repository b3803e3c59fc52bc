using System.Diagnostics;
using System.Text;

namespace Signup.Tests.Fixture;

/// <summary>Programs that run to their end, and are ended where they do not.</summary>
public static class Command
{
    /// <summary>Runs a program and returns what it wrote.</summary>
    /// <param name="deadline"><see cref="Wait.Deadline"/> where none is given.</param>
    /// <param name="input">What it can read.</param>
    /// <exception cref="TimeoutException">It did not end in time, or something that it has started keeps its output open. It and what it has started are ended.</exception>
    public static async Task<(int ExitCode, string Output)> RunAsync(ProcessStartInfo start, TimeSpan? deadline = null, string input = "")
    {
        using var process = StartQuietly(start, input);
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await EndAsync(process, deadline ?? Wait.Deadline, Output);
        return (process.ExitCode, Output());

        void Keep(string? line)
        {
            if (line is null) return;
            lock (output) output.AppendLine(line);
        }

        string Output()
        {
            lock (output) return output.ToString();
        }
    }

    /// <summary>Starts a program that can read no more than <paramref name="input"/>.</summary>
    public static Process StartQuietly(ProcessStartInfo start, string input = "")
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Waits for the end of a process, and of its output where that is being read.</summary>
    /// <param name="output">What it has said, for the exception.</param>
    /// <exception cref="TimeoutException">It did not end in time; it and what it has started are ended.</exception>
    public static async Task EndAsync(Process process, TimeSpan deadline, Func<string> output)
    {
        using var over = new CancellationTokenSource(deadline);
        try
        {
            await process.WaitForExitAsync(over.Token);
        }
        catch (OperationCanceledException)
        {
            var what = process.HasExited ? "has ended, but something that it started keeps its output open" : "has not ended";
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} {what} after {deadline}:\n{output()}");
        }
    }
}
