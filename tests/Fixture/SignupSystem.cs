using System.Diagnostics;
using System.Security.Cryptography;
using Npgsql;
using Signup.Hosting;
using Signup.Hosting.RabbitMq;

namespace Signup.Tests.Fixture;

/// <summary>The whole system: every endpoint and the gateway as a process, on its own virtual host and database.</summary>
public sealed class SignupSystem : IAsyncDisposable
{
    public static readonly string[] All = ["Accounts", "Uniqueness", "Mail", "Query", "Gateway"];

    private readonly List<SignupProcess> _processes = [];
    private readonly Dictionary<string, string> _settings;

    private SignupSystem(Parts parts)
    {
        Parts = parts;
        MailPickup = Path.Combine(parts.Directory, "mail");
        Directory.CreateDirectory(MailPickup);
        SigningKey = RandomNumberGenerator.GetBytes(32);
        _settings = new Dictionary<string, string>
        {
            ["ConnectionStrings__RabbitMq"] = parts.RabbitMq,
            ["ConnectionStrings__Postgres"] = parts.Postgres,
            ["ConnectionStrings__PostgresOwner"] = parts.PostgresOwner,
            ["Signup__SigningKey"] = Convert.ToBase64String(SigningKey),
            ["Uniqueness__ApiKey"] = ApiKey,
            ["Accounts__ApiKey"] = ApiKey,
            ["Query__ApiKey"] = ApiKey,
            ["Smtp__PickupDirectory"] = MailPickup,
            ["Archive__Target"] = new Uri(Path.Combine(parts.Directory, "archive")).AbsoluteUri,
            ["RateLimiting__SignUpsPerMinute"] = "0",
            ["RateLimiting__SignInsPerMinute"] = "0",
            ["DOTNET_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
        };
        if (parts.PostgresReplica is not null) _settings["ConnectionStrings__PostgresReplica"] = parts.PostgresReplica;
        Database = NpgsqlDataSource.Create(parts.Postgres);
        var identity = new EndpointIdentity("test");
        Broker = new Broker(BrokerNodes.Of(parts.RabbitMq), identity);
        Commands = new CommandClient(Broker, new Wire(identity));
    }

    public Parts Parts { get; }
    public string ApiKey { get; } = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
    public byte[] SigningKey { get; }
    public string MailPickup { get; }
    public NpgsqlDataSource Database { get; }
    public Broker Broker { get; }

    /// <summary>Sends commands as the gateway does.</summary>
    public CommandClient Commands { get; }

    public string GatewayUrl => this["Gateway"].Url;
    public string QueryUrl => this["Query"].Url;
    public string UniquenessUrl => this["Uniqueness"].Url;

    /// <summary>The first process of that name.</summary>
    public SignupProcess this[string name] => _processes.First(p => p.Name == name);

    /// <summary>All processes of that name.</summary>
    public IReadOnlyList<SignupProcess> Instances(string name) => [.. _processes.Where(p => p.Name == name)];

    /// <summary>Without any process, for commands.</summary>
    public static Task<SignupSystem> CreateAsync(string name, IReadOnlyDictionary<string, string>? settings = null) => CreateAsync(name, settings, withLog: false);

    private static async Task<SignupSystem> CreateAsync(string name, IReadOnlyDictionary<string, string>? settings, bool withLog)
    {
        var parts = await Parts.CreateAsync(name, withLog);
        await parts.JoinBrokerAsync();
        var system = new SignupSystem(parts);
        foreach (var (key, value) in settings ?? new Dictionary<string, string>()) system._settings[key] = value;
        return system;
    }

    /// <summary>Starts these processes, all where none is named, and waits until they are ready. All of them start as the first ones ever, and make their tables; some find an empty log.</summary>
    /// <param name="name">Lower-case letters; names the database, the virtual host and the folder with the logs.</param>
    public static async Task<SignupSystem> StartAsync(string name, IReadOnlyDictionary<string, string>? settings = null, params string[] processes)
    {
        var system = await CreateAsync(name, settings, withLog: processes.Length > 0);
        foreach (var process in processes.Length == 0 ? All : processes) system.Add(process);
        try
        {
            await Task.WhenAll(system._processes.Select(p => p.StartAsync()));
            return system;
        }
        catch
        {
            // Whoever waits for this system will never get it to stop it.
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>One more process of a kind; not started yet.</summary>
    public SignupProcess Add(string name)
    {
        var process = new SignupProcess(name, DllOf(name), Path.Combine(Parts.Directory, $"{name}-{_processes.Count}.log"), SettingsOf(name));
        _processes.Add(process);
        // Everyone hears of addresses that are known by now, and the links in mails lead to the first gateway.
        var (key, value) = name == "Gateway" ? ("Signup__PublicUrl", process.Url) : ($"{name}__Url", $"http://{string.Join(',', Instances(name).Select(p => new Uri(p.Url).Authority))}");
        if (name == "Gateway" && Instances(name).Count > 1)
        {
            process.Set(key, value);
        }
        else if (name is "Accounts" or "Query" or "Uniqueness" or "Gateway")
        {
            _settings[key] = value;
            foreach (var p in _processes) p.Set(key, value);
        }
        return process;
    }

    /// <summary>Runs one of an endpoint's commands to its end, as <c>./run Endpoint command …</c> does.</summary>
    public Task<(int ExitCode, string Output)> RunAsync(string name, params string[] arguments) => Command.RunAsync(CommandOf(name, arguments));

    /// <summary>The same, to which somebody types something.</summary>
    public Task<(int ExitCode, string Output)> AnswerAsync(string typed, string name, params string[] arguments) => Command.RunAsync(CommandOf(name, arguments), input: $"{typed}\n");

    /// <summary>Starts one of an endpoint's commands.</summary>
    public Process StartCommand(string name, params string[] arguments) => Command.StartQuietly(CommandOf(name, arguments));

    /// <summary>Mail knows that the account's first mail is out, which it says a moment after that can be read: before, asking for another one is in vain.</summary>
    public Task ActivationMailSentAsync(Guid accountId) => Wait.UntilAsync(async () =>
    {
        await using var command = Database.CreateCommand("select exists (select from log.mt_events where stream_id = $1 and type = 'ActivationMailSent')");
        command.Parameters.AddWithValue(accountId);
        return (bool)(await command.ExecuteScalarAsync())!;
    }, "the activation mail is sent");

    /// <summary>An HTTP client for one process, with the key of the internal APIs.</summary>
    public HttpClient Client(string name)
    {
        var client = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri(this[name].Url) };
        if (name != "Gateway") client.DefaultRequestHeaders.Add(Hosting.Http.ApiKey.Header, ApiKey);
        return client;
    }

    private ProcessStartInfo CommandOf(string name, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [DllOf(name), .. arguments]);
        foreach (var (key, value) in SettingsOf(Secrets.Processes.FirstOrDefault(p => p == $"{name}/{arguments[0]}", name))) start.Environment[key] = value;
        return start;
    }

    /// <summary>A process is told the secrets that it needs, and no others, as <c>./run</c> does it.</summary>
    private Dictionary<string, string> SettingsOf(string name) => _settings.Where(s => Secrets.MayKnow(name, s.Key)).ToDictionary();

    private static string DllOf(string name) =>
        Path.Combine(Parts.Root, name == "Gateway" ? name : Path.Combine("Endpoints", name), "bin", Parts.Configuration, "net10.0", $"Signup.{name}.dll");

    /// <summary>The processes first, whatever becomes of the rest: none may outlive its test.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Task.WhenAll(_processes.Select(p => p.DisposeAsync().AsTask()));
        }
        finally
        {
            await Task.WhenAll(Commands.DisposeAsync().AsTask(), Broker.DisposeAsync().AsTask(), Database.DisposeAsync().AsTask()).WaitAsync(Wait.Deadline);
            await Parts.LeaveBrokerAsync();
        }
    }
}
