using System.CommandLine;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Hosting.Commands;

namespace Signup.Uniqueness.Commands;

/// <summary>Makes the log as another role than the one that endpoints sign in by, so that these can append to it, and nothing else.</summary>
internal static class Migrate
{
    public static Command Define() => new Command("migrate", "Makes the log's tables as the role of ConnectionStrings__PostgresOwner, and lets that of ConnectionStrings__Postgres append to them.").Runs(async (given, cancellation) =>
    {
        var (owner, role) = Read(given.Configuration);
        await using var database = LogStore.Connect(owner.ConnectionString);
        await AppendOnly.MigrateAsync(database, role, cancellation);
        Console.WriteLine($"The log belongs to the role '{owner.Username}'. '{role}' may append to it.");
        return 0;
    });

    /// <returns>How the owner signs in, and the role that endpoints have.</returns>
    /// <exception cref="InvalidOperationException">These are not two roles of one database. Says what to set.</exception>
    public static (NpgsqlConnectionStringBuilder Owner, string Role) Read(IConfiguration settings)
    {
        const string owners = "ConnectionStrings:PostgresOwner", endpoints = "ConnectionStrings:Postgres";
        var (owner, endpoint) = (Read(settings, owners), Read(settings, endpoints));
        if (owner.Database != endpoint.Database) throw new InvalidOperationException($"{owners} is about the database '{owner.Database}', and {endpoints} about '{endpoint.Database}': both must be about one.");
        if (owner.Username == endpoint.Username) throw new InvalidOperationException($"{owners} and {endpoints} sign in by the same role, '{owner.Username}': they must be two.");
        return (owner, endpoint.Username!);
    }

    private static NpgsqlConnectionStringBuilder Read(IConfiguration settings, string key)
    {
        var connection = new NpgsqlConnectionStringBuilder(Settings.Required(settings, key));
        return connection is { Database.Length: > 0, Username.Length: > 0 } ? connection : throw new InvalidOperationException($"{key} must name a Database and a Username.");
    }
}
