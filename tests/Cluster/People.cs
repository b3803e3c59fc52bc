using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Signup.Hosting;
using Signup.Tests.Chaos;
using Signup.Tests.Fixture;
using Signup.Tests.Integration.Mail;

namespace Signup.Tests.Cluster;

/// <summary>People who sign up without a pause, for as long as one waits for something here, at a system of their own. Each asks until it is decided.</summary>
internal sealed class People : IAsyncDisposable
{
    private const int AtOnce = 3, Most = 30_000;

    /// <summary>What one of them may have to wait for a verdict, whatever happens.</summary>
    private static readonly TimeSpan Bearable = TimeSpan.FromSeconds(10);

    private static readonly string[] Queues = [Topology.Accounts, Topology.Uniqueness, Topology.Mail, Topology.Query, Topology.Error];

    private readonly Run _run = new();
    private readonly SmtpServer _smtp;
    private readonly SignupSystem _system;
    private readonly Audit _audit;
    private readonly Crowd _crowd;
    private readonly IReadOnlyList<Attempt> _attempts;
    private int _entered;

    private People(SmtpServer smtp, SignupSystem system)
    {
        (_smtp, _system) = (smtp, system);
        _audit = new Audit(system, smtp);
        _attempts = new Addresses(_run.Random).Attempts(Most, 1, _run.Id);
        _crowd = new Crowd(system.GatewayUrl, AtOnce, decided: true);
    }

    public static async Task<People> ComeAsync(string name)
    {
        var smtp = new SmtpServer { Capabilities = { "SMTPUTF8" } }.Start();
        var people = new People(smtp, await SignupSystem.StartAsync(name, new Dictionary<string, string>(smtp.Settings)
        {
            // Hashing costs next to nothing here: it is not what is tested.
            ["PasswordHashing__MemoryKiB"] = "8",
            ["PasswordHashing__Passes"] = "1",
            ["RateLimiting__SignUpsPerMinute"] = "0",
            ["Signup__ReplyTimeout"] = "00:00:02",
        }));
        await people._audit.SubscribeAsync();
        return people;
    }

    /// <summary>So that each is met by it, whichever comes first.</summary>
    public IEnumerable<T> Shuffle<T>(params T[] all)
    {
        _run.Random.Shuffle(all);
        return all;
    }

    /// <summary>Returns after so many more have a verdict.</summary>
    public Task SignUpAsync(int count = 10 * AtOnce)
    {
        var before = _crowd.Answered;
        return UntilAsync(() => Task.FromResult(_crowd.Answered >= before + count), $"{count} more people have a verdict");
    }

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
    public async Task LeaveAsync()
    {
        await _crowd.CloseAsync();
        _run.Tell($"answers: {_crowd.Counts}");
        await _audit.AnswersAreTrueAsync([.. _attempts.Take(_entered)], _crowd.Answers);
        await _audit.EveryoneHasHeardAsync();
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
        if (_crowd.Answered > _entered - AtOnce)
        {
            _crowd.Enter(_attempts.Skip(_entered).Take(AtOnce));
            _entered = Math.Min(_entered + AtOnce, Most);
        }
        return condition();
    }, what, TimeSpan.FromMinutes(2));
}
