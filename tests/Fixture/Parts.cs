using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using System.Text;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Calls;

namespace Signup.Tests.Fixture;

/// <summary>The RabbitMQ and PostgreSQL that tests run on, and in them a database and, where it has <see cref="JoinBrokerAsync">joined</see>, a virtual host for one system alone.</summary>
public sealed class Parts
{
    public static readonly string Root = Metadata("RepositoryRoot");
    public static readonly string Configuration = Metadata("Configuration");

    public required string RabbitMq { get; init; }
    public required string Postgres { get; init; }

    /// <summary>Where there are standbys: a connection string of these.</summary>
    public required string? PostgresReplica { get; init; }

    /// <summary>The same database, by a role that may own the log.</summary>
    public required string PostgresOwner { get; init; }
    public required string Management { get; init; }

    /// <summary>Where this system's logs and mails go.</summary>
    public required string Directory { get; init; }

    /// <summary>The state directory that <c>./test</c> has provisioned; a test runner without it provisions the same one.</summary>
    public static string State => Environment.GetEnvironmentVariable("SIGNUP_TEST_STATE") ?? Path.Combine(Root, ".local", "test");

    /// <param name="name">Lower-case letters, for humans to tell systems apart.</param>
    /// <param name="withLog">The database has an empty log, as if a process had been there. Without, it is empty.</param>
    /// <param name="state">Of servers that a test has provisioned for itself; null: of those of all tests.</param>
    public static async Task<Parts> CreateAsync(string name, bool withLog = false, string? state = null)
    {
        var all = Path.Combine(state ?? State, "parts.env");
        if (!File.Exists(all)) await ProvisionAsync("up");
        var settings = (await File.ReadAllLinesAsync(all)).Select(l => l.Split('=', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
        var unique = $"{name}_{Guid.NewGuid():N}"[..Math.Min(name.Length + 9, 40)];

        // Not pooled: tests restart the server, and a kept connection would be found dead only when it is used. For the same reason it does not remember which of several is the primary.
        var server = new NpgsqlConnectionStringBuilder($"{settings["POSTGRES"]};Pooling=false;Host Recheck Seconds=0");
        await CreateDatabaseAsync(server, withLog ? $"{unique} template {await DatabaseWithLogAsync(server)}" : unique);

        var directory = Path.Combine(State, "systems", unique);
        System.IO.Directory.CreateDirectory(directory);
        return new Parts
        {
            RabbitMq = $"{settings["RABBITMQ_URI"]}/{unique}", Postgres = new NpgsqlConnectionStringBuilder(settings["POSTGRES"]) { Database = unique }.ConnectionString,
            PostgresReplica = settings["POSTGRES_REPLICA"] is { Length: > 0 } replica ? new NpgsqlConnectionStringBuilder(replica) { Database = unique }.ConnectionString : null,
            PostgresOwner = new NpgsqlConnectionStringBuilder(settings["POSTGRES_OWNER"]) { Database = unique }.ConnectionString, Management = settings["RABBITMQ_MANAGEMENT"], Directory = directory,
        };
    }

    /// <summary>All that this system has on the broker is gone, and whoever was connected to it is not any more.</summary>
    public async Task LoseBrokerDataAsync()
    {
        using (var http = ManagementClient()) (await http.DeleteAsync($"api/vhosts/{VirtualHost}")).EnsureSuccessStatusCode();
        await JoinBrokerAsync();
    }

    /// <summary>RabbitMQ's management API, for the whole broker.</summary>
    public HttpClient ManagementClient() => ManagementClient(Management);

    /// <summary>The name of this system's virtual host.</summary>
    public string VirtualHost => RabbitMq[(RabbitMq.LastIndexOf('/') + 1)..];

    /// <summary>Takes the virtual host away: a broker that keeps those of all tests gets slower with each, empty as they may be, and starts again in half a minute. The database stays, to be looked at.</summary>
    public async Task LeaveBrokerAsync()
    {
        try
        {
            using var http = ManagementClient();
            using var _ = await http.DeleteAsync($"api/vhosts/{VirtualHost}");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            // It is not there, since the test took it away. What is left disturbs nobody.
        }
    }

    /// <summary>Makes the virtual host. Whoever does so <see cref="LeaveBrokerAsync">leaves</see> it in the end.</summary>
    public async Task JoinBrokerAsync()
    {
        using var http = ManagementClient();
        (await http.PutAsync($"api/vhosts/{VirtualHost}", null)).EnsureSuccessStatusCode();
        (await http.PutAsJsonAsync($"api/permissions/{VirtualHost}/{Hosts.Of(RabbitMq)[0].UserInfo.Split(':')[0]}", new { configure = ".*", write = ".*", read = ".*" })).EnsureSuccessStatusCode();
        await SetDeliveryLimitAsync(100_000);
    }

    /// <summary>As docs/runbook.md says it is to be on a broker of one's own: RabbitMQ 4 drops a message after 20 deliveries otherwise.</summary>
    public async Task SetDeliveryLimitAsync(int limit)
    {
        using var http = ManagementClient();
        (await http.PutAsync($"api/policies/{VirtualHost}/signup-no-delivery-limit", new StringContent($$"""{"pattern":".*","definition":{"delivery-limit":{{limit}}},"apply-to":"queues"}""", Encoding.UTF8, "application/json"))).EnsureSuccessStatusCode();
    }

    /// <param name="verb">As of docker/provision: up, restart rabbitmq, restart postgres, ….</param>
    /// <param name="what">The part, and what else stands there, such as "3 postgres" with nodes.</param>
    /// <param name="state">As of <see cref="CreateAsync"/>.</param>
    public static async Task ProvisionAsync(string verb, string? what = null, string? state = null)
    {
        List<string> arguments = [Path.Combine(Root, "docker", "provision"), verb, .. what?.Split(' ') ?? [], state ?? State];
        var provision = new ProcessStartInfo("bash", arguments);
        // Those of all tests, which ./test gives, are not those.
        if (state is not null) foreach (var given in new[] { "ConnectionStrings__RabbitMq", "ConnectionStrings__Postgres", "RabbitMq__ManagementUrl" }) provision.Environment.Remove(given);
        var (exitCode, output) = await Command.RunAsync(provision, TimeSpan.FromMinutes(4));
        if (exitCode != 0) throw new InvalidOperationException($"docker/provision {verb} {what} failed:\n{output}");
    }

    /// <summary>A database with an empty log, to be copied: Marten takes most of a second to make one. It is made once, by the first test of a build that needs it.</summary>
    private static async Task<string> DatabaseWithLogAsync(NpgsqlConnectionStringBuilder server)
    {
        var name = $"log_{typeof(LogStore).Assembly.ManifestModule.ModuleVersionId:N}";
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
        // Held until the connection ends. The name under which it is made is another one, so that what was cut short is not taken for whole.
        await using (var take = new NpgsqlCommand($"select pg_advisory_lock(hashtextextended('{name}', 0))", connection)) await take.ExecuteNonQueryAsync();
        await using var isThere = new NpgsqlCommand($"select exists (select from pg_database where datname = '{name}')", connection);
        if ((bool)(await isThere.ExecuteScalarAsync())!) return name;
        await using (var clean = new NpgsqlCommand($"drop database if exists making_{name}", connection)) await clean.ExecuteNonQueryAsync();
        await CreateDatabaseAsync(server, $"making_{name}");
        await using (var database = LogStore.Connect(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = $"making_{name}" }.ConnectionString)) await LogStore.CreateAsync(database, Wait.Token);
        await using var rename = new NpgsqlCommand($"alter database making_{name} rename to {name}", connection);
        await rename.ExecuteNonQueryAsync();
        return name;
    }

    private static async Task CreateDatabaseAsync(NpgsqlConnectionStringBuilder server, string what)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"create database {what}", connection);
        await create.ExecuteNonQueryAsync();
    }

    private static HttpClient ManagementClient(string management)
    {
        var uri = Hosts.Of(management)[0];
        var client = new HttpClient { BaseAddress = new Uri($"{uri.Scheme}://{uri.Authority}/"), Timeout = Wait.Deadline };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(uri.UserInfo))));
        return client;
    }

    private static string Metadata(string key) => typeof(Parts).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
