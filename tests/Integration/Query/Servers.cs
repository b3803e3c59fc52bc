using System.Globalization;
using Npgsql;
using Signup.EventLog;

namespace Signup.Tests.Integration.Query;

/// <summary>PostgreSQL on three nodes: a primary, and two standbys, of the first of which it waits at each commit.</summary>
public sealed class Servers : IAsyncLifetime
{
    public string State { get; } = Path.Combine(Parts.State, "replicated");

    public async ValueTask InitializeAsync()
    {
        await ProvisionAsync("fresh");
        await ProvisionAsync("nodes", "3 postgres");
    }

    public async ValueTask DisposeAsync() => await ProvisionAsync("fresh");

    /// <summary>All three nodes are there again, whatever has been done to them.</summary>
    public async Task MendAsync()
    {
        await ProvisionAsync("thaw", "postgres");
        await ProvisionAsync("up", "postgres");
    }

    /// <summary>A log on it.</summary>
    public async Task<LogDatabase> CreateLogAsync(string name)
    {
        var log = await LogDatabase.CreateAsync(name, State);
        await Wait.UntilAsync(async () => await log.ScalarAsync<long>("select count(*) from pg_stat_replication") == 2, "both standbys follow");
        return log;
    }

    /// <summary>That of one of the standbys of that database, once it has come there.</summary>
    public async Task<string> StandbyAsync(LogDatabase log)
    {
        var hosts = new NpgsqlConnectionStringBuilder(log.ConnectionString).Host!.Split(',');
        var standby = $"{log.ConnectionString};Target Session Attributes=any;Host={hosts[await PrimaryAsync() % hosts.Length]}";
        await using var replica = LogReplica.Of(standby)!;
        await Wait.ForAsync(async () => await replica.LastPositionAsync(Wait.Token) is var last ? $"{last}" : null, "the log has come to the standby");
        return standby;
    }

    public Task ProvisionAsync(string verb, string? what = null) => Parts.ProvisionAsync(verb, what, State);

    public async Task<int> PrimaryAsync() =>
        (await File.ReadAllLinesAsync(Path.Combine(State, "settings.env"))).Where(l => l.StartsWith("POSTGRES_PRIMARY=", StringComparison.Ordinal)).Select(l => int.Parse(l.Split('=')[1], CultureInfo.InvariantCulture)).FirstOrDefault(1);

    public async Task EachStandbyAsync(string verb)
    {
        var primary = await PrimaryAsync();
        foreach (var node in Enumerable.Range(1, 3).Where(n => n != primary)) await ProvisionAsync(verb, $"postgres{node}");
    }

    [CollectionDefinition(nameof(Servers))]
    public sealed class Collection : ICollectionFixture<Servers>;
}
