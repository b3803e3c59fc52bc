using System.Diagnostics;

namespace Signup.Bench.SignUps;

/// <summary>One system, one way of hashing.</summary>
/// <param name="CpuMs">CPU time per accepted sign-up in milliseconds, by group of processes, until everything that follows from the sign-ups is done.</param>
/// <param name="DrainSeconds">How long after the last answer that was.</param>
/// <param name="IdleCpuMs">CPU time per second in milliseconds when nobody signs up; it is part of <paramref name="CpuMs"/>, too.</param>
public sealed record Measurement(string System, bool Hashing, Answers Answers, IReadOnlyDictionary<string, double> CpuMs, double DrainSeconds, IReadOnlyDictionary<string, double> IdleCpuMs)
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    public double TotalCpuMs => CpuMs.Values.Sum();

    public string Line =>
        $"{System,-9} hashing {(Hashing ? "on " : "off")}  {Answers.Rate,7:0.0}/s  p50 {Answers.P50Ms,6:0} ms  p99 {Answers.P99Ms,6:0} ms  CPU {TotalCpuMs,6:0.00} ms each "
        + $"({string.Join(", ", CpuMs.Select(c => $"{c.Key} {c.Value:0.00}"))}), drained after {DrainSeconds:0.0} s"
        + (Answers.Other.Count == 0 ? "" : $", NOT ACCEPTED: {string.Join(", ", Answers.Other.Select(o => $"{o.Value} × {o.Key}"))}");

    public static async Task<Measurement> TakeAsync(IContestant system, bool hashing, Options options)
    {
        // Enough for the runtime to have compiled what is called often; hashing itself is native code.
        var (warmUp, count) = hashing ? (200, 1_500) : (4_000, 12_000);
        using var load = system.Open();
        var warm = await load.RunAsync(options.Clients, Scaled(warmUp), options.Limit);
        await system.DrainAsync(Total(warm));

        var before = Cpu.SecondsOf(system.Processes);
        var answers = await load.RunAsync(options.Clients, Scaled(count), options.Limit);
        var answered = Stopwatch.GetTimestamp();
        await system.DrainAsync(Total(warm) + Total(answers));
        var drained = Stopwatch.GetElapsedTime(answered).TotalSeconds;
        var after = Cpu.SecondsOf(system.Processes);
        await Task.Delay(Idle);
        var idle = Cpu.SecondsOf(system.Processes);
        return new Measurement(system.Name, hashing, answers, after.ToDictionary(a => a.Key, a => (a.Value - before[a.Key]) * 1000 / Math.Max(1, answers.Accepted)), drained,
            idle.ToDictionary(i => i.Key, i => (i.Value - after[i.Key]) * 1000 / Idle.TotalSeconds));

        int Scaled(int n) => Math.Max(options.Clients, (int)(n * options.Scale));

        // Who was told to wait (202) has an account in the end, too.
        static int Total(Answers a) => a.Accepted + a.Other.GetValueOrDefault(202);
    }
}
