using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Signup.Hosting.RabbitMq;
using Signup.Tests.Chaos;
using Signup.Tests.Integration.Mail;

namespace Signup.Tests.Cluster;

/// <summary>People who sign up without a pause, for as long as one waits for something here, at a system of their own. Each asks until it is decided.</summary>
internal sealed class People : IAsyncDisposable
{
    /// <summary>What one of them may have to wait for a verdict, whatever happens.</summary>
    private static readonly TimeSpan Bearable = TimeSpan.FromSeconds(10);

    /// <summary>Of each Mail.</summary>
    private const int Connections = 4;

    private static readonly string[] Queues = [Topology.Accounts, Topology.Uniqueness, Topology.Mail, Topology.Query, Topology.Error];

    private readonly Run _run;
    private readonly SmtpServer _smtp;
    private readonly SignupSystem _system;
    private readonly Audit _audit;
    private readonly Crowd _crowd;
    private readonly IReadOnlyList<Attempt> _attempts;
    private readonly int _atOnce, _together;
    private int _entered, _invited;

    private People(Run run, SmtpServer smtp, SignupSystem system, IReadOnlyList<Attempt> attempts, int atOnce, int together)
    {
        (_run, _smtp, _system, _attempts, _atOnce, _together) = (run, smtp, system, attempts, atOnce, together);
        _invited = _attempts.Count;
        _audit = new Audit(system, smtp);
        _crowd = new Crowd([.. system.Instances("Gateway").Select(g => g.Url)], atOnce, retry: true, decided: true);
    }

    /// <summary>Three at once, as long as one waits for something.</summary>
    public static Task<People> ComeAsync(string name) => ComeAsync(name, addresses: 30_000, spellings: 1, atOnce: 3, together: 3, instances: 1);

    /// <param name="atOnce">How many wait for a verdict at the most.</param>
    /// <param name="together">How many come at a time; those who come next, 50 ms later, do not wait for these.</param>
    /// <param name="instances">Of each process.</param>
    public static async Task<People> ComeAsync(string name, int addresses, int spellings, int atOnce, int together, int instances)
    {
        var smtp = new SmtpServer { Capabilities = { "SMTPUTF8" } }.Start();
        var system = await SignupSystem.StartAsync(name, new Dictionary<string, string>(smtp.Settings)
        {
            // Hashing costs next to nothing here: it is not what is tested.
            ["PasswordHashing__MemoryKiB"] = "8",
            ["PasswordHashing__Passes"] = "1",
            ["RateLimiting__SignUpsPerMinute"] = "0",
            ["Signup__ReplyTimeout"] = "00:00:02",
            ["Mail__Connections"] = $"{Connections}",
        }, [.. Enumerable.Repeat(SignupSystem.All, instances).SelectMany(all => all)]);
        var run = new Run();
        var people = new People(run, smtp, system, new Addresses(run.Random).Attempts(addresses, spellings, run.Id), atOnce, together);
        await people._audit.SubscribeAsync();
        return people;
    }

    /// <summary>So that each is met by it, whichever comes first.</summary>
    public IEnumerable<T> Shuffle<T>(params T[] all)
    {
        _run.Random.Shuffle(all);
        return all;
    }

    /// <summary>Of those who have not come yet only so many more come until this is said again.</summary>
    public void Invite(int count) => _invited = Math.Min(_entered + count, _attempts.Count);

    /// <summary>Returns after so many more have a verdict.</summary>
    public Task SignUpAsync(int count = 30)
    {
        var before = _crowd.Answered;
        return UntilAsync(() => Task.FromResult(_crowd.Answered >= before + count), $"{count} more people have a verdict");
    }

    /// <summary>All who are invited have come, and have a verdict.</summary>
    public Task AllHaveAVerdictAsync() => UntilAsync(() => Task.FromResult(_crowd.Answered >= _invited), $"{_invited} people have a verdict");

    public Task SignUpForAsync(TimeSpan time)
    {
        var watch = Stopwatch.StartNew();
        return UntilAsync(() => Task.FromResult(watch.Elapsed > time), "time has gone by");
    }

    /// <summary>They go on meanwhile.</summary>
    public async Task ProvisionAsync(string verb, string what)
    {
        _run.Tell(string.Create(CultureInfo.InvariantCulture, $"{_crowd.Answered} have a verdict; {verb} {what}"));
        var provisioned = Parts.ProvisionAsync(verb, what);
        await UntilAsync(() => Task.FromResult(provisioned.IsCompleted), $"{verb} {what} is done");
        await provisioned;
    }

    /// <summary>One of a kind of process is killed, or frozen, and comes back after a while. The other one goes on.</summary>
    public async Task HitAsync(string name, string blow, TimeSpan away)
    {
        var process = Shuffle([.. _system.Instances(name)]).First();
        _run.Tell(string.Create(CultureInfo.InvariantCulture, $"{_crowd.Answered} have a verdict; {blow} one of {name}"));
        await (blow == "kill" ? process.KillAsync() : process.FreezeAsync());
        await SignUpForAsync(away);
        await (blow == "kill" ? process.StartAsync() : process.ContinueAsync());
    }

    /// <summary>Each queue has so many copies, in touch with each other.</summary>
    public async Task QueuesAreOnAsync(int nodes)
    {
        using var http = _system.Parts.ManagementClient();
        await UntilAsync(async () =>
        {
            using var all = JsonDocument.Parse(await http.GetStringAsync($"api/queues/{_system.Parts.VirtualHost}"));
            var ours = all.RootElement.EnumerateArray().Where(q => Queues.Contains(q.GetProperty("name").GetString())).ToArray();
            return ours.Length == Queues.Length && ours.All(q => Length(q, "members") == nodes && Length(q, "online") == nodes);
        }, $"each queue is on {nodes}");
    }

    /// <summary>The database's nodes: the primary, and the standbys, both in touch with it.</summary>
    public async Task<(string Primary, string[] Standbys)> DatabaseIsOnAsync(int nodes)
    {
        await UntilAsync(async () =>
        {
            await using var command = _system.Database.CreateCommand("select count(*) from pg_stat_replication");
            return (long)(await command.ExecuteScalarAsync())! == nodes - 1;
        }, $"the database is on {nodes}");
        var primary = (await File.ReadAllLinesAsync(Path.Combine(Parts.State, "settings.env"))).Where(l => l.StartsWith("POSTGRES_PRIMARY=", StringComparison.Ordinal)).Select(l => $"postgres{l.Split('=')[1]}").FirstOrDefault("postgres1");
        return (primary, [.. Enumerable.Range(1, nodes).Select(n => $"postgres{n}").Where(n => n != primary)]);
    }

    /// <summary>Since this was said the last time.</summary>
    /// <param name="bearable">10 s where nothing is given.</param>
    public void NobodyHasWaitedLong(string meanwhile, TimeSpan? bearable = null)
    {
        var longest = _crowd.TakeLongest();
        _run.Tell(string.Create(CultureInfo.InvariantCulture, $"{_crowd.Answered} have a verdict, the slowest after {longest.TotalSeconds:0.0} s: {meanwhile}"));
        Assert.True(longest < (bearable ?? Bearable), $"Somebody waited {longest} for a verdict: {meanwhile}");
    }

    /// <summary>Nobody comes any more; what they were told is what the log says, and everyone has heard of it.</summary>
    /// <param name="blows">That may each have had mails come twice: as many as Mail has connections.</param>
    public async Task LeaveAsync(int blows = 0)
    {
        await _crowd.CloseAsync();
        _run.Tell($"answers: {_crowd.Counts}");
        await _audit.AnswersAreTrueAsync([.. _attempts.Take(_entered)], _crowd.Answers);
        await _audit.EveryoneHasHeardAsync(blows * Connections * _system.Instances("Mail").Count);
        foreach (var (name, command) in new[] { ("Uniqueness", "verify"), ("Query", "audit") })
        {
            var (exitCode, output) = await _system.RunAsync(name, command);
            Assert.True(exitCode == 0, output);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _crowd.DisposeAsync();
        await _system.DisposeAsync();
        await _smtp.DisposeAsync();
    }

    private static int Length(JsonElement queue, string name) => queue.TryGetProperty(name, out var all) && all.ValueKind == JsonValueKind.Array ? all.GetArrayLength() : 0;

    private Task UntilAsync(Func<Task<bool>> condition, string what) => Wait.UntilAsync(() =>
    {
        if (_crowd.Answered > _entered - _atOnce)
        {
            var next = Math.Min(_together, _invited - _entered);
            _crowd.Enter(_attempts.Skip(_entered).Take(next));
            _entered += next;
        }
        return condition();
    }, what, TimeSpan.FromMinutes(2));
}
