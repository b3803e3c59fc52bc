using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Following;

/// <summary>Something derived from the log that lives in PostgreSQL: where it stands, and what to do with the next events.</summary>
public interface IProjection
{
    /// <summary>As metrics and log lines call it.</summary>
    string Name { get; }

    /// <summary>Creates what it needs in the database; repeating does no harm, also from several processes at once.</summary>
    Task EnsureAsync(CancellationToken cancellation);

    /// <summary>Where it stands. It says, too, where this process must not write: a newer version of the code has taken over.</summary>
    Checkpoint Checkpoint { get; }

    /// <summary>Takes in the events that follow the checkpoint, and moves it, in the connection's transaction: all of them, or the first, and to the last of these.</summary>
    Task ApplyAsync(NpgsqlConnection connection, Stretch next, CancellationToken cancellation);

    /// <summary>That is committed.</summary>
    void Applied()
    {
    }
}

public static class ProjectionServices
{
    /// <summary>The key of the <see cref="LogReader"/> that reads events from a standby, where there is one.</summary>
    internal const string FromReplica = "replica";

    /// <summary>Registers a projection, what keeps it at the end of the log, and what tells how far it is behind, as health check
    /// <paramref name="name"/> and as metrics.</summary>
    /// <param name="followed">The kinds of event that it takes in, as the log calls them: those whose messages wake it.</param>
    /// <remarks>It reads them from the standby of <c>ConnectionStrings:PostgresReplica</c>, where that is set.</remarks>
    public static void AddProjection<TProjection>(this IServiceCollection services, string name, IEnumerable<EventType> followed) where TProjection : class, IProjection
    {
        services.AddSingleton<TProjection>().AddSingleton<WakeUp>().AddSingleton(new News([.. followed.Select(t => t.Message)]));
        services.AddListener<NewsListener>("news");
        services.AddFollower<TProjection>(name, s => s.GetRequiredService<WakeUp>(), s => s.GetRequiredKeyedService<LogReader>(FromReplica));
    }

    /// <param name="log">What it reads the log with.</param>
    internal static void AddFollower<TProjection>(this IServiceCollection services, string name, Func<IServiceProvider, WakeUp> wakeUp, Func<IServiceProvider, LogReader> log) where TProjection : IProjection
    {
        services.AddSingleton(s => ActivatorUtilities.CreateInstance<LogFollower<TProjection>>(s, log(s), wakeUp(s)));
        services.AddHostedService(s => s.GetRequiredService<LogFollower<TProjection>>());
        services.AddSingleton<ProjectionLag<TProjection>>().AddHealthChecks().AddCheck<ProjectionLag<TProjection>>(name);
    }
}
