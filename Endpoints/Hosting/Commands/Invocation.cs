using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;

namespace Signup.Hosting.Commands;

/// <summary>A command as it was typed, and what it works on.</summary>
public sealed class Invocation(ParseResult parsed, IConfiguration configuration)
{
    public IConfiguration Configuration => configuration;

    /// <summary>The option's value; its type's default where it was not given.</summary>
    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    /// <summary>The database of <c>ConnectionStrings__Postgres</c>.</summary>
    public NpgsqlDataSource OpenDatabase() => LogStore.Connect(Settings.Database(configuration));

    /// <summary>The standby of <c>ConnectionStrings__PostgresReplica</c>; null where there is none.</summary>
    public LogReplica? OpenReplica() => LogReplica.Of(configuration[Settings.Replica]);

    /// <summary>The log in that database, and what was dropped from it into the archive of <c>Archive__Target</c>.</summary>
    public LogReader OpenLog(NpgsqlDataSource database, bool asStored = false, LogReplica? replica = null) => new(database, new LogArchive(database, Settings.Archive(configuration)), asStored, replica);
}
