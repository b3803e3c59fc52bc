using Npgsql;
using Signup.EventLog;

namespace Signup.Tests.Fixture;

/// <summary>What the log holds, read past everything that could be wrong with its readers but for the seals.</summary>
public static class StoredLog
{
    /// <summary>All events of these kinds, or of all, by position.</summary>
    public static async Task<IReadOnlyList<LoggedEvent>> EventsAsync(this NpgsqlDataSource database, params string[] types)
    {
        await using var command = database.CreateCommand($"select {StoredEvents.Columns} {StoredEvents.From} where e.type = any($1) or cardinality($1) = 0 order by e.seq_id");
        command.Parameters.AddWithValue(types);
        await using var reader = await command.ExecuteReaderAsync();
        var events = new List<LoggedEvent>();
        while (await reader.ReadAsync()) events.Add(StoredEvents.Read(reader));
        return events;
    }

    /// <summary>All events of a kind, as its class.</summary>
    public static async Task<IReadOnlyList<(LoggedEvent Event, T Happened)>> EventsAsync<T>(this NpgsqlDataSource database) where T : class =>
        [.. (await database.EventsAsync(typeof(T).Name)).Select(e => (e, (T)EventTypes.Read(e)!))];
}
