using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Tests.Fixture;
using Signup.Uniqueness;

namespace Signup.Bench.Log;

/// <summary>What one PostgreSQL takes where it does nothing but decide: claim and event, in one transaction for all that came meanwhile, by as many deciders as processes of Uniqueness there might be.
/// Nobody follows the log. Then the same with two logs, each in a database of its own, to which addresses are led by their hash: <c>docs/partitions.md</c>.</summary>
internal static class LogPart
{
    private const string Part = "log";

    /// <summary>Who propose at once.</summary>
    private const int Clients = 256;

    public static async Task RunAsync(Figures figures, Options options)
    {
        var count = options.Scaled(40_000);
        foreach (var (deciders, logs) in new[] { (1, 1), (2, 1), (4, 1), (2, 2), (4, 2) })
        {
            var shards = new List<Shard>();
            for (var i = 0; i < logs; i++) shards.Add(await Shard.CreateAsync(deciders / logs));
            // What is called often has been compiled, and planned.
            await DecideAsync(shards, count / 4);
            var measured = await MeasureAsync(shards, count);
            foreach (var shard in shards) await shard.DisposeAsync();
            var what = $"{deciders} {(deciders == 1 ? "decider" : "deciders")}, {(logs == 1 ? "one log" : $"{logs} logs")}";
            figures.Add(Part, $"{what}: accounts", count / measured.Seconds, "/s");
            figures.Add(Part, $"{what}: CPU of PostgreSQL", measured.Server * 1e6 / count, "µs each");
            figures.Add(Part, $"{what}: CPU of the deciders", measured.Client * 1e6 / count, "µs each");
            figures.Add(Part, $"{what}: write-ahead log", measured.Bytes / (double)count, "bytes each");
        }
    }

    private static async Task<(double Seconds, double Server, double Client, long Bytes)> MeasureAsync(List<Shard> shards, int count)
    {
        Dictionary<string, int> processes = new() { ["server"] = Machine.ProcessOf("POSTGRES"), ["client"] = Environment.ProcessId };
        var (before, begun) = (Cpu.SecondsOf(processes), await shards[0].WrittenAsync());
        var watch = Stopwatch.StartNew();
        await DecideAsync(shards, count);
        watch.Stop();
        var after = Cpu.SecondsOf(processes);
        return (watch.Elapsed.TotalSeconds, after["server"] - before["server"], after["client"] - before["client"], await shards[0].WrittenAsync() - begun);
    }

    /// <summary>So many people sign up, each with an address of their own, and are all accepted.</summary>
    private static async Task DecideAsync(List<Shard> shards, int count)
    {
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            while (Interlocked.Decrement(ref left) is var number and >= 0)
            {
                var email = $"{Guid.NewGuid():N}@example.org";
                var data = JsonSerializer.SerializeToElement(new AccountCreated($"guest {number}", email, "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIDE2$c29tZSBoYXNoIG9mIHRoaXJ0eSB0d28gYnl0ZXM", "en", DateTimeOffset.UtcNow), LogJson.Options);
                var verdict = await shards[(int)((uint)string.GetHashCode(email, StringComparison.Ordinal) % (uint)shards.Count)].Decider(client)
                    .DecideAsync(Guid.CreateVersion7(), Guid.CreateVersion7(), 0, nameof(AccountCreated), data, once: false);
                if (verdict.Outcome != Messages.Uniqueness.VerdictOutcome.Accepted) throw new InvalidOperationException($"{verdict}");
            }
        }));
    }

    /// <summary>A log, with its claims, and those who decide about both.</summary>
    private sealed class Shard(NpgsqlDataSource database, List<Proposals> deciders) : IAsyncDisposable
    {
        public static async Task<Shard> CreateAsync(int deciders)
        {
            // As Uniqueness is connected.
            var database = LogStore.Connect($"No Reset On Close=true;{(await Parts.CreateAsync("log", withLog: true)).Postgres}", SignupEndpoint.RowByRow);
            await ClaimTable.CreateAsync(database, CancellationToken.None);
            var rules = UniquenessRules.Parse(await File.ReadAllBytesAsync(Path.Combine(Parts.Root, "Endpoints", "Uniqueness", "uniqueness.json")), "uniqueness.json");
            // Whom it would wake does not run.
            return new(database, [.. Enumerable.Range(0, deciders).Select(_ => new Proposals(rules, database, new EventPublisher(database, null!, null!, NullLogger<EventPublisher>.Instance)))]);
        }

        public Proposals Decider(int client) => deciders[client % deciders.Count];

        /// <summary>Bytes, by the whole server.</summary>
        public async Task<long> WrittenAsync()
        {
            await using var command = database.CreateCommand("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint");
            return (long)(await command.ExecuteScalarAsync())!;
        }

        public async ValueTask DisposeAsync()
        {
            deciders.ForEach(d => d.Dispose());
            await database.DisposeAsync();
        }
    }
}
