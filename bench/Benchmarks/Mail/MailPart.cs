namespace Signup.Bench.Mail;

/// <summary>
/// Mail against a sink, from a backlog of accounts, as if it had been away. Where the sink answers at once: CPU a mail, beside a bare MailKit loop over one connection in
/// the same run. Where it takes 20 ms: mails a second, of what that many such loops reach. And memory, while many are due.
/// </summary>
internal static class MailPart
{
    private const string Part = "mail";

    /// <summary>So long it takes until all connections are open: the rate is counted from then on.</summary>
    private static readonly TimeSpan Ramp = TimeSpan.FromSeconds(6);

    /// <summary>What a provider takes for a mail, where it takes its time.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static async Task RunAsync(Figures figures, Options options)
    {
        await CpuAsync(figures, options);
        await RateAsync(figures, options);
        await MemoryAsync(figures, options);
    }

    /// <summary>At a sink that answers at once. In turns, for the machine is not the same from one minute to the next.</summary>
    private static async Task CpuAsync(Figures figures, Options options)
    {
        foreach (var connections in new[] { 1, 4 })
        {
            using var sink = new Sink();
            await using var endpoint = await Backlog.StartAsync(sink, connections);
            await endpoint.SendAsync(Bare.WarmUp, TimeSpan.Zero);
            var turns = new List<(TimeSpan Bare, TimeSpan Endpoint)>();
            var mails = options.Scaled(5_000);
            for (var turn = 0; turn < 5; turn++)
            {
                using var bareSink = new Sink();
                turns.Add((await Bare.RunAsync(bareSink.Port, mails), await endpoint.SendAsync(mails, TimeSpan.Zero) / mails));
            }
            var (bare, cpu) = (Median(turns.Select(t => t.Bare)), Median(turns.Select(t => t.Endpoint)));
            figures.Add(Part, $"CPU a mail over {Over(connections)}", cpu.TotalMilliseconds, "ms");
            figures.AtMost(Part, $"CPU a mail over {Over(connections)}, × a bare MailKit loop's", cpu / bare, 2);
        }
    }

    /// <summary>What is possible, at a provider that takes its time, is what a bare loop reaches, times the connections.</summary>
    private static async Task RateAsync(Figures figures, Options options)
    {
        double possible;
        using (var sink = new Sink(Pause))
        {
            await Bare.RunAsync(sink.Port, 500, warmUp: 10);
            possible = sink.MailsPerSecond;
        }
        figures.Add(Part, $"a bare loop at a provider that takes {Pause.TotalMilliseconds} ms a mail, mails a second", possible);
        foreach (var (connections, atLeast) in new[] { (1, 0.95), (4, 0.9), (16, 0.8) })
        {
            using var sink = new Sink(Pause);
            await using var endpoint = await Backlog.StartAsync(sink, connections);
            await endpoint.SendAsync((int)(25 * options.Scale * connections / Pause.TotalSeconds), Ramp);
            figures.AtLeast(Part, $"mails a second over {Over(connections)} ÷ that many bare loops", sink.MailsPerSecond / possible / connections, atLeast);
        }
    }

    /// <summary>However many are due, no more than a few are in memory.</summary>
    private static async Task MemoryAsync(Figures figures, Options options)
    {
        using var sink = new Sink();
        await using var endpoint = await Backlog.StartAsync(sink, 4);
        await endpoint.SendAsync(Bare.WarmUp, TimeSpan.Zero);
        var before = endpoint.Memory;
        var due = options.Scaled(100_000);
        var sending = endpoint.SendAsync(due, TimeSpan.Zero);
        var most = 0L;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        while (!sending.IsCompleted)
        {
            most = Math.Max(most, endpoint.Memory);
            await Task.WhenAny(sending, timer.WaitForNextTickAsync().AsTask());
        }
        await sending;
        figures.AtMost(Part, $"more in memory while {due:#,0} mails are due", (most - before) >> 20, 100, "MiB");
    }

    private static string Over(int connections) => connections == 1 ? "one connection" : $"{connections} connections";

    private static TimeSpan Median(IEnumerable<TimeSpan> times) => times.Order().ElementAt(times.Count() / 2);
}
