using System.Diagnostics;
using Signup.Bench.SignUps;

namespace Signup.Bench.Alone;

/// <summary>All of it as <c>./run</c> starts it, with its own settings, and one person at a time: what somebody sees who tries it.</summary>
internal static class AlonePart
{
    private const string Part = "one at a time";

    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10), Rest = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(Figures figures, Options options)
    {
        // What is made once, and kept, is made by the first; and the client's code is compiled for it.
        await using (var first = await Copy.StartAsync())
        {
            using var client = SignUps.Signup.OpenOn(first.Url);
            await OneAtATimeAsync(client, 1);
        }
        var begun = Stopwatch.GetTimestamp();
        await using var copy = await Copy.StartAsync();
        figures.AtMost(Part, "./run to ready, built", Stopwatch.GetElapsedTime(begun).TotalSeconds, 4, "s");

        using var load = SignUps.Signup.OpenOn(copy.Url);
        figures.AtMost(Part, "the first sign-up after ready", (await OneAtATimeAsync(load, 1)).P50Ms, 150, "ms");
        // So that what is called often has been compiled.
        await OneAtATimeAsync(load, options.Scaled(500));
        await Task.Delay(Settling);
        var (hash, p50) = (Machine.Argon2Ms(), (await OneAtATimeAsync(load, options.Scaled(500))).P50Ms);
        figures.Add(Part, "p50", p50, "ms");
        figures.Add(Part, "of which the hash", hash, "ms");
        figures.AtMost(Part, "p50 minus the hash", p50 - hash, 12, "ms");

        await Task.Delay(Settling);
        var before = Cpu.SecondsOf(copy.Processes);
        await Task.Delay(Rest);
        var atRest = Cpu.SecondsOf(copy.Processes).ToDictionary(p => p.Key, p => (p.Value - before[p.Key]) * 1000 / Rest.TotalSeconds);
        foreach (var (name, ms) in atRest) figures.Add(Part, $"CPU at rest, {name}", ms, "ms/s");
        figures.AtMost(Part, "CPU at rest, all five processes", atRest.Values.Sum(), 20, "ms/s");
        foreach (var (name, id) in copy.Processes)
        {
            using var process = Process.GetProcessById(id);
            figures.AtMost(Part, $"memory at rest, {name}", process.WorkingSet64 / (1 << 20), 120, "MiB");
        }

        static async Task<Answers> OneAtATimeAsync(Load load, int count)
        {
            var answers = await load.RunAsync(1, count);
            return answers.Other.Count == 0 ? answers : throw new InvalidOperationException($"Not accepted: {string.Join(", ", answers.Other)}");
        }
    }
}
