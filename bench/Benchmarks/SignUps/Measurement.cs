using System.Diagnostics;

namespace Signup.Bench.SignUps;

/// <summary>One system, one way of hashing.</summary>
/// <param name="CpuMs">CPU time per accepted sign-up in milliseconds, by group of processes, until everything that follows from the sign-ups is done.</param>
/// <param name="DrainSeconds">How long after the last answer that was.</param>
public sealed record Measurement(string System, bool Hashing, Answers Answers, IReadOnlyDictionary<string, double> CpuMs, double DrainSeconds)
{
    public double TotalCpuMs => CpuMs.Values.Sum();

    public string Line =>
        $"  {System,-9} hashing {(Hashing ? "on " : "off")}  {Answers.Rate,7:0.0}/s  p50 {Answers.P50Ms,6:0} ms  p99 {Answers.P99Ms,6:0} ms  CPU {TotalCpuMs,6:0.00} ms each "
        + $"({string.Join(", ", CpuMs.Select(c => $"{c.Key} {c.Value:0.00}"))}), drained after {DrainSeconds:0.0} s"
        + (Answers.Other.Count == 0 ? "" : $", NOT ACCEPTED: {string.Join(", ", Answers.Other.Select(o => $"{o.Value} × {o.Key}"))}");

    public static async Task<Measurement> TakeAsync(IContestant system, bool hashing, Options options)
    {
        using var load = system.Open();
        var count = options.Scaled(hashing ? 1_500 : 12_000);
        var signUps = await WarmUpAsync(load, options.Clients, count / 4);
        await system.DrainAsync(signUps);

        var before = Cpu.SecondsOf(system.Processes);
        var answers = await load.RunAsync(options.Clients, count);
        var answered = Stopwatch.GetTimestamp();
        await system.DrainAsync(signUps + Total(answers));
        var drained = Stopwatch.GetElapsedTime(answered).TotalSeconds;
        var after = Cpu.SecondsOf(system.Processes);
        return new Measurement(system.Name, hashing, answers, after.ToDictionary(a => a.Key, a => (a.Value - before[a.Key]) * 1000 / Math.Max(1, answers.Accepted)), drained);
    }

    /// <summary>Until the rate holds still: no round is faster than the fastest before it, by more than a twentieth, three times in a row.</summary>
    /// <returns>How many have signed up.</returns>
    private static async Task<int> WarmUpAsync(Load load, int clients, int round)
    {
        var (fastest, still, signUps) = (0.0, 0, 0);
        while (still < 3)
        {
            var answers = await load.RunAsync(clients, round);
            still = answers.Rate > fastest * 1.05 ? 0 : still + 1;
            fastest = Math.Max(fastest, answers.Rate);
            signUps += Total(answers);
        }
        Console.WriteLine($"  warm after {signUps:#,0} sign-ups: {fastest:0} a second");
        return signUps;
    }

    /// <summary>Who was told to wait (202) has an account in the end, too.</summary>
    private static int Total(Answers a) => a.Accepted + a.Other.GetValueOrDefault(202);
}
