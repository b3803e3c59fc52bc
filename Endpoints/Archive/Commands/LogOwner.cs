using Npgsql;
using Signup.EventLog;
using Signup.Hosting;

namespace Signup.Archive.Commands;

/// <summary>The role that owns the log, that of the endpoints or another one: nobody else may take events out of it.</summary>
internal static class LogOwner
{
    /// <exception cref="InvalidOperationException">It is another one. Says what to set.</exception>
    public static async Task<NpgsqlDataSource> OpenAsync(IConfiguration settings, CancellationToken cancellation)
    {
        foreach (var role in new[] { "Postgres", "PostgresOwner" })
        {
            if (role != "Postgres" && string.IsNullOrEmpty(settings.GetConnectionString(role))) continue;
            var database = LogStore.Connect(Settings.Required(settings, $"ConnectionStrings:{role}"));
            await LogStore.CreateAsync(database, cancellation);
            await using var connection = await database.OpenConnectionAsync(cancellation);
            if (await AppendOnly.OwnsAsync(connection, cancellation)) return database;
            await database.DisposeAsync();
        }
        throw new InvalidOperationException("The log belongs to another role, and nobody else may take events out of it: set ConnectionStrings__PostgresOwner to how that role signs in.");
    }

    /// <summary>As an event names who did it.</summary>
    public static string Actor => Actors.Operator(Environment.UserName);
}
