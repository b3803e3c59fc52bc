using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.Hosting.ServiceControl;

namespace Signup.Hosting;

/// <summary>What all endpoints share: broker, log, recoverability, telemetry, health.</summary>
public static partial class SignupEndpoint
{
    /// <summary>Settings of the database server for an endpoint whose statements look for rows by key, and for nothing else: each is planned once, not anew for every number of rows,
    /// and goes through the keys, row by row. By itself the server takes a table that is empty when it plans for one that is best read as a whole; a minute later it is large.</summary>
    public const string RowByRow = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";

    /// <summary>The setting of a standby to read the log from.</summary>
    internal const string Replica = "ConnectionStrings:PostgresReplica";

    /// <summary>An endpoint that listens to the queue <paramref name="name"/>.</summary>
    /// <param name="handlers">Of what is sent to it.</param>
    /// <param name="concurrency">How many messages it handles at once; each stays unacknowledged until its work is committed.</param>
    /// <param name="database">Settings of the database server for its connections, such as <see cref="RowByRow"/>.</param>
    public static WebApplicationBuilder Create(string name, string[] args, Handlers handlers, ushort concurrency, string database = "")
    {
        var builder = CreateHost(name, args);
        // Nothing is set for a session, so none needs to be reset between two uses.
        builder.Services.AddSingleton(LogStore.Connect($"No Reset On Close=true;{Setting(builder.Configuration, "ConnectionStrings:Postgres")}", database));
        builder.Services.AddBeforeStart(async (services, cancellation) =>
        {
            if (!await LogStore.CreateAsync(services.GetRequiredService<NpgsqlDataSource>(), cancellation)) MayChangeEvents(services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(SignupEndpoint)));
        });
        var archive = Archive(builder.Configuration);
        if (builder.Configuration[Replica] is { Length: > 0 } replica) builder.Services.AddSingleton(_ => LogReplica.Of(replica)!);
        builder.Services.AddSingleton(services => new LogArchive(services.GetRequiredService<NpgsqlDataSource>(), archive));
        builder.Services.AddSingleton(services => new LogReader(services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<LogArchive>()));
        builder.Services.AddKeyedSingleton(ProjectionServices.FromReplica, (services, _) => new LogReader(services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<LogArchive>(), replica: services.GetService<LogReplica>()));
        builder.Services.AddServiceControl();
        builder.Services.AddSingleton(handlers).AddSingleton<Handling>();
        builder.Services.AddKeyedSingleton(QueueListener.Connection, (services, _) => new Broker(services.GetRequiredService<BrokerNodes>(), services.GetRequiredService<EndpointIdentity>()));
        builder.Services.AddSingleton(new Concurrency(concurrency));
        builder.Services.AddListener<QueueListener>("messages");
        builder.Services.AddEndpointHealth(database: true);
        return builder;
    }

    /// <summary>Where the log's archive is; null where nobody has told.</summary>
    /// <exception cref="InvalidOperationException">It is no place for one.</exception>
    internal static ArchiveTarget? Archive(IConfiguration configuration) => configuration["Archive:Target"] is { Length: > 0 } target ? new ArchiveTarget(target) : null;

    /// <summary>An endpoint rehearses with a command that it answers with <typeparamref name="TReply"/>, and that changes nothing.</summary>
    public static void AddRehearsal<TReply>(this IServiceCollection services, object command) where TReply : class =>
        services.AddRehearsal((s, cancellation) => s.GetRequiredService<CommandClient>().RehearseAsync<TReply>(command, s.GetRequiredService<Handling>().RehearseAsync, cancellation));

    /// <summary>Starts it, and has its health checked as <paramref name="check"/>.</summary>
    internal static void AddListener<TListener>(this IServiceCollection services, string check) where TListener : Listener
    {
        services.AddSingleton<TListener>().AddHostedService(s => s.GetRequiredService<TListener>());
        services.AddHealthChecks().AddCheck<TListener>(check);
    }

    /// <summary>A process that only sends: the gateway.</summary>
    public static WebApplicationBuilder CreateHost(string name, string[] args)
    {
        Activity.DefaultIdFormat = ActivityIdFormat.W3C;
        // Settings lie beside the program, wherever it is started from.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSingleton(BrokerNodesOf(builder.Configuration));
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new EndpointIdentity(name)).AddSingleton<Wire>();
        builder.Services.AddSingleton(services => new Broker(services.GetRequiredService<BrokerNodes>(), services.GetRequiredService<EndpointIdentity>()));
        builder.Services.AddSingleton<CommandClient>().AddSingleton<HandlerSends>();
        builder.Services.AddSingleton<DeclareTopology>().AddBeforeStart((services, cancellation) => services.GetRequiredService<DeclareTopology>().RunAsync(cancellation));
        builder.Services.AddSingleton(services => new SignedTokens(SigningKeys(builder.Configuration), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddProblemDetails();
        builder.AddServiceControl();
        builder.AddTelemetry(name);
        return builder;
    }

    /// <summary>The setting <c>Signup:SigningKey</c>: the first signs, all verify.</summary>
    /// <exception cref="InvalidOperationException">They are no keys.</exception>
    public static IReadOnlyList<byte[]> SigningKeys(IConfiguration configuration)
    {
        const string setting = "Signup:SigningKey";
        try
        {
            byte[][] keys = [.. Setting(configuration, setting).Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Convert.FromBase64String)];
            if (keys.Length > 0 && keys.All(k => k.Length >= 32)) return keys;
        }
        catch (FormatException)
        {
        }
        throw new InvalidOperationException($"The setting {setting} must be a key, or several with commas between: each base64 of at least 32 bytes, as `openssl rand -base64 32` makes one.");
    }

    /// <summary>RabbitMQ's nodes, each with the same user, password and virtual host.</summary>
    /// <exception cref="InvalidOperationException">They are not set, or no addresses.</exception>
    public static BrokerNodes BrokerNodesOf(IConfiguration configuration)
    {
        const string setting = "ConnectionStrings:RabbitMq";
        try
        {
            var nodes = BrokerNodes.Of(Setting(configuration, setting));
            if (nodes.All.All(node => node.Scheme is "amqp" or "amqps")) return nodes;
        }
        catch (FormatException)
        {
        }
        throw new InvalidOperationException($"The setting {setting} must be an AMQP URI, amqp://user:password@host:5672/vhost, with commas between the nodes of a cluster: amqp://user:password@one,two,three.");
    }

    /// <summary>Where another process is: the addresses of its instances.</summary>
    /// <exception cref="InvalidOperationException">They are not set, or no addresses.</exception>
    public static IReadOnlyList<Uri> Urls(IConfiguration configuration, string key)
    {
        try
        {
            var urls = Hosts.Of(Setting(configuration, key));
            if (urls.All(url => url.Scheme is "http" or "https")) return urls;
        }
        catch (FormatException)
        {
        }
        throw new InvalidOperationException($"The setting {key} is no address: '{configuration[key]}'. It is one like http://127.0.0.1:8080, with commas between several instances: http://one:8080,two:8080.");
    }

    /// <exception cref="InvalidOperationException">It is not set. Says how to set it.</exception>
    public static string Setting(IConfiguration configuration, string key) => configuration[key] is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"The setting {key} is missing. Set it in appsettings.json, or as the environment variable {key.Replace(":", "__", StringComparison.Ordinal)}.");

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database role of ConnectionStrings:Postgres may change and delete events: it is a superuser, or has been granted that. docs/runbook.md says how to give it less")]
    private static partial void MayChangeEvents(ILogger logger);
}
