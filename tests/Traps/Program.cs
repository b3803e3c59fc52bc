using System.Runtime.InteropServices;
using Spectre.Console;

namespace Signup.Tests.Traps;

internal static class Program
{
    /// <summary>The tests; with <c>demo</c>, five of them for a newcomer to look at.</summary>
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not ["demo"]) return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(arguments);
        // However it is ended, what it has started is ended with it.
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        PosixSignalRegistration[] signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(s => PosixSignalRegistration.Create(s, End))];
        AnsiConsole.WriteLine("Starting a system for this alone …");
        await using (var stage = new Stage())
        {
            await await Task.WhenAny(ended.Task, PlayAsync(stage));
        }
        foreach (var signal in signals) signal.Dispose();
        return 0;

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            ended.TrySetResult();
        }
    }

    private static async Task PlayAsync(Stage stage)
    {
        await stage.InitializeAsync();
        await Demo.RunAsync(stage, AnsiConsole.Console, Console.In);
    }
}
