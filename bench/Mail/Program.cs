// Mail against a sink, from a backlog of accounts, as if it had been away. Where the sink answers at once: CPU a mail, beside a bare MailKit loop over one connection in
// the same run. Where it takes 20 ms: mails a second, of what that many such loops reach. And memory, while many are due.
// dotnet run -c Release --project bench/Mail [scale] [cpu|rate|memory]
using System.Globalization;
using Signup.Bench.Mail;

if (args is ["bare", .. var numbers])
{
    var n = numbers.Select(a => int.Parse(a, CultureInfo.InvariantCulture)).ToArray();
    await Bare.SendAsync(port: n[0], warmUp: n[1], mails: n[2]);
    return 0;
}
// So long it takes until all connections are open: the rate is counted from then on.
var ramp = TimeSpan.FromSeconds(6);
var scale = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 1;
bool Measures(string what) => args.Length < 2 || args[1] == what;
var checks = new List<(string What, double Is, bool Holds, string Bound)>();

// CPU, at a sink that answers at once. In turns, for the machine is not the same from one minute to the next.
foreach (var connections in Measures("cpu") ? new[] { 1, 4 } : [])
{
    using var sink = new Sink();
    await using var endpoint = await Backlog.StartAsync(sink, connections);
    await endpoint.SendAsync(Bare.WarmUp, TimeSpan.Zero);
    var turns = new List<(TimeSpan Bare, TimeSpan Endpoint)>();
    var mails = (int)(5000 * scale);
    for (var turn = 0; turn < 5; turn++)
    {
        using var bareSink = new Sink();
        turns.Add((await Bare.RunAsync(bareSink.Port, mails), await endpoint.SendAsync(mails, TimeSpan.Zero) / mails));
    }
    var (bare, cpu) = (Median(turns.Select(t => t.Bare)), Median(turns.Select(t => t.Endpoint)));
    Console.WriteLine($"endpoint, {connections} connection(s): {sink.MailsPerSecond:F0} mails/s, {cpu.TotalMicroseconds:F0} µs of CPU a mail; a bare loop {bare.TotalMicroseconds:F0}");
    AtMost($"CPU a mail over {connections} connection(s), × a bare loop's", cpu / bare, 2);
}

// What is possible, at a provider that takes its time: what a bare loop reaches, times the connections.
var pause = TimeSpan.FromMilliseconds(20);
var possible = 0.0;
if (Measures("rate"))
{
    using var sink = new Sink(pause);
    await Bare.RunAsync(sink.Port, 500, warmUp: 10);
    possible = sink.MailsPerSecond;
    Console.WriteLine($"bare loop, provider takes {pause.TotalMilliseconds} ms a mail: {possible:F1} mails/s");
}
foreach (var (connections, atLeast) in Measures("rate") ? new[] { (1, 0.95), (4, 0.9), (16, 0.8) } : [])
{
    using var sink = new Sink(pause);
    await using var endpoint = await Backlog.StartAsync(sink, connections);
    await endpoint.SendAsync((int)(25 * scale * connections / pause.TotalSeconds), ramp);
    Console.WriteLine($"endpoint, {connections} connection(s): {sink.MailsPerSecond:F1} mails/s of {connections * possible:F0} possible");
    AtLeast($"of what is possible over {connections} connection(s) at {pause.TotalMilliseconds} ms a mail", sink.MailsPerSecond / possible / connections, atLeast);
}

// However many are due, no more than a few are in memory.
if (Measures("memory"))
{
    using var sink = new Sink();
    await using var endpoint = await Backlog.StartAsync(sink, 4);
    await endpoint.SendAsync(Bare.WarmUp, TimeSpan.Zero);
    var before = endpoint.Memory;
    var sending = endpoint.SendAsync((int)(100_000 * scale), TimeSpan.Zero);
    var most = 0L;
    using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
    while (!sending.IsCompleted)
    {
        most = Math.Max(most, endpoint.Memory);
        await Task.WhenAny(sending, timer.WaitForNextTickAsync().AsTask());
    }
    await sending;
    Console.WriteLine($"endpoint, {100_000 * scale} due: {before >> 20} MiB before, {most >> 20} MiB at most");
    AtMost("MiB more in memory while 100,000 are due", (most - before) >> 20, 100);
}

foreach (var (what, @is, holds, bound) in checks) Console.WriteLine($"{(holds ? "holds" : "FAILS")}: {@is:F2} {what}, {bound}");
var failed = checks.Count(c => !c.Holds);
Console.WriteLine($"{checks.Count - failed} passed, {failed} failed");
return failed;

static TimeSpan Median(IEnumerable<TimeSpan> times) => times.Order().ElementAt(times.Count() / 2);
void AtLeast(string what, double @is, double bound) => checks.Add((what, @is, @is >= bound, $"at least {bound:F2}"));
void AtMost(string what, double @is, double bound) => checks.Add((what, @is, @is <= bound, $"at most {bound:F2}"));
