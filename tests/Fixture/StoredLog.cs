using Npgsql;
using Signup.EventLog;

namespace Signup.Tests.Fixture;

/// <summary>What the log holds, read past everything that could be wrong with its readers but for the seals, as they are selected.</summary>
public static class StoredLog
{
    /// <summary>All events of these kinds, or of all, by position.</summary>
    public static async Task<IReadOnlyList<LoggedEvent>> EventsAsync(this NpgsqlDataSource database, params string[] types)
    {
        await using var connection = await database.OpenConnectionAsync();
        return await new LogReader(database).SelectAsync(connection, "e.type = any(@types) or cardinality(@types) = 0 order by e.seq_id", [new("types", types)], CancellationToken.None).ToListAsync();
    }

    /// <summary>All events of a kind, as its class.</summary>
    public static async Task<IReadOnlyList<(LoggedEvent Event, T Happened)>> EventsAsync<T>(this NpgsqlDataSource database) where T : class =>
        [.. (await database.EventsAsync(typeof(T).Name)).Select(e => (e, (T)EventTypes.Read(e)!))];
}
