using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Npgsql;
using Signup.Tests.Fixture;

namespace Signup.Bench.SignUps;

/// <summary>A system that people can sign up with, on the same PostgreSQL as the other.</summary>
public interface IContestant : IAsyncDisposable
{
    string Name { get; }

    /// <summary>All processes that work for it, by name; each stands for its descendants, too.</summary>
    IReadOnlyDictionary<string, int> Processes { get; }

    Load Open();

    /// <summary>Returns when so many sign-ups, since its start, have had all their consequences.</summary>
    Task DrainAsync(int signUps);
}

/// <summary>This system: all five processes, as in production. Mails go over SMTP, to a provider that answers at once.</summary>
public sealed class Signup(SignupSystem system, Sink sink) : IContestant
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public string Name => "Signup";

    public IReadOnlyDictionary<string, int> Processes { get; } = new Dictionary<string, int>(SignupSystem.All.Select(name => KeyValuePair.Create(name, system[name].Id)))
    {
        ["RabbitMQ"] = Machine.ProcessOf("RABBITMQ"),
        ["PostgreSQL"] = Machine.ProcessOf("POSTGRES"),
    };

    /// <param name="hashing">Argon2id at OWASP's minimum, or next to nothing.</param>
    public static async Task<Signup> StartAsync(bool hashing)
    {
        var sink = new Sink();
        var settings = new Dictionary<string, string>
        {
            ["Smtp__Host"] = "127.0.0.1",
            ["Smtp__Port"] = sink.Port.ToString(CultureInfo.InvariantCulture),
            ["Smtp__Security"] = "None",
            ["PasswordHashing__MemoryKiB"] = hashing ? "19456" : "8",
            ["PasswordHashing__Passes"] = hashing ? "2" : "1",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["DOTNET_ENVIRONMENT"] = "Production",
        };
        return new Signup(await SignupSystem.StartAsync("bench", settings), sink);
    }

    public Load Open() => OpenOn(new Uri(system.GatewayUrl));

    /// <summary>People who sign up at this gateway.</summary>
    public static Load OpenOn(Uri gateway) => new(new Uri(gateway, "users"),
        id => $$"""{"username":"guest {{id}}","email":"{{id}}@example.org","password":"Correct horse {{id}}"}""", HttpStatusCode.Created);

    /// <summary>Everyone's mail is sent, the log says so, and Query has read that.</summary>
    public async Task DrainAsync(int signUps)
    {
        await Wait.UntilAsync(() => Task.FromResult(sink.Mails >= signUps), "each account has its mail", Patience);
        using var query = system.Client("Query");
        await Wait.UntilAsync(async () =>
        {
            var ready = JsonNode.Parse(await query.GetStringAsync("health/ready"))!["checks"]!.AsObject();
            return ready.Any(c => c.Value!["data"]?["behindEvents"]?.GetValue<long>() == 0) && await LeftAsync() == 0;
        }, "Query has read all", Patience);
        await using var count = system.Database.CreateCommand("select count(*) from log.mt_events where type = 'AccountCreated'");
        var accounts = (long)(await count.ExecuteScalarAsync())!;
        if (accounts != signUps) throw new InvalidOperationException($"{signUps} sign-ups, but {accounts} accounts.");
    }

    public async ValueTask DisposeAsync()
    {
        await system.DisposeAsync();
        sink.Dispose();
    }

    private async Task<long> LeftAsync()
    {
        await using var command = system.Database.CreateCommand("""
            select (select count(*) from log.mt_events where seq_id > (select position from publisher.checkpoint))
                 + (select count(*) from log.mt_events where type = 'AccountCreated') - (select count(*) from log.mt_events where type = 'ActivationMailSent')
            """);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}

/// <summary>ASP.NET Core Identity's endpoints, in one process.</summary>
public sealed class Identity(SignupProcess process, NpgsqlDataSource database) : IContestant
{
    public string Name => "Identity";

    public IReadOnlyDictionary<string, int> Processes { get; } = new Dictionary<string, int>
    {
        ["Identity"] = process.Id,
        ["PostgreSQL"] = Machine.ProcessOf("POSTGRES"),
    };

    /// <param name="hashing">PBKDF2-HMAC-SHA512 at OWASP's minimum, or one iteration.</param>
    public static async Task<Identity> StartAsync(bool hashing)
    {
        var parts = await Parts.CreateAsync("identity");
        var process = new SignupProcess("Identity", Path.Combine(Parts.Root, "bench", "Identity", "bin", Parts.Configuration, "net10.0", "Signup.Bench.Identity.dll"),
            Path.Combine(parts.Directory, "Identity.log"), new Dictionary<string, string>
            {
                ["ConnectionStrings__Postgres"] = parts.Postgres,
                ["Iterations"] = hashing ? "220000" : "1",
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
            });
        await process.StartAsync();
        return new Identity(process, NpgsqlDataSource.Create(parts.Postgres));
    }

    public Load Open() => new(new Uri($"{process.Url}/register"),
        id => $$"""{"email":"{{id}}@example.org","password":"Correct horse {{id}}"}""", HttpStatusCode.OK);

    /// <summary>It does nothing after its answer.</summary>
    public async Task DrainAsync(int signUps)
    {
        await using var count = database.CreateCommand("""select count(*) from "AspNetUsers" """);
        var accounts = (long)(await count.ExecuteScalarAsync())!;
        if (accounts != signUps) throw new InvalidOperationException($"{signUps} sign-ups, but {accounts} accounts.");
    }

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        await database.DisposeAsync();
    }
}
