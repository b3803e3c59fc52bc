using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.Hosting.Following;
using Signup.Hosting.Handling;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Hosting.ServiceControl;

namespace Signup.Hosting;

/// <summary>What all processes consist of. Start reading here.</summary>
public static partial class SignupEndpoint
{
    /// <summary>Settings of the database server for an endpoint whose statements look for rows by key, and for nothing else: each is planned once, not anew for every number of rows,
    /// and goes through the keys, row by row. By itself the server takes a table that is empty when it plans for one that is best read as a whole; a minute later it is large.</summary>
    public const string RowByRow = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";

    /// <summary>An endpoint that listens to the queue <paramref name="name"/>.</summary>
    /// <param name="handlers">Of what is sent to it.</param>
    /// <param name="concurrency">How many messages it handles at once; each stays unacknowledged until its work is committed.</param>
    /// <param name="database">Settings of the database server for its connections, such as <see cref="RowByRow"/>.</param>
    public static WebApplicationBuilder Create(string name, string[] args, Handlers handlers, ushort concurrency, string database = "")
    {
        var builder = CreateHost(name, args);
        builder.AddEventLog(database);
        builder.Services.AddMessageHandling(handlers, concurrency);
        builder.Services.AddEndpointHealth(database: true);
        return builder;
    }

    /// <summary>A process that only sends: the gateway.</summary>
    public static WebApplicationBuilder CreateHost(string name, string[] args)
    {
        Activity.DefaultIdFormat = ActivityIdFormat.W3C;
        Settings.TakeFile();
        // Settings lie beside the program, wherever it is started from.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new EndpointIdentity(name));
        builder.Services.AddRabbitMq(Settings.BrokerNodes(builder.Configuration));
        builder.Services.AddSingleton(services => new SignedTokens(Settings.SigningKeys(builder.Configuration), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddProblemDetails();
        builder.AddServiceControl();
        builder.AddTelemetry(name);
        return builder;
    }

    private static void AddEventLog(this WebApplicationBuilder builder, string database)
    {
        var (services, archive) = (builder.Services, Settings.Archive(builder.Configuration));
        // Nothing is set for a session, so none needs to be reset between two uses.
        services.AddSingleton(LogStore.Connect($"No Reset On Close=true;{Settings.Database(builder.Configuration)}", database));
        services.AddBeforeStart(async (s, cancellation) =>
        {
            if (!await LogStore.CreateAsync(s.GetRequiredService<NpgsqlDataSource>(), cancellation)) MayChangeEvents(s.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(SignupEndpoint)));
        });
        if (builder.Configuration[Settings.Replica] is { Length: > 0 } replica) services.AddSingleton(_ => LogReplica.Of(replica)!);
        services.AddSingleton(s => new LogArchive(s.GetRequiredService<NpgsqlDataSource>(), archive));
        services.AddSingleton(s => new LogReader(s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<LogArchive>()));
        services.AddKeyedSingleton(ProjectionServices.FromReplica, (s, _) => new LogReader(s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<LogArchive>(), replica: s.GetService<LogReplica>()));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database role of ConnectionStrings:Postgres may change and delete events: it is a superuser, or has been granted that. docs/runbook.md says how to give it less")]
    private static partial void MayChangeEvents(ILogger logger);
}
