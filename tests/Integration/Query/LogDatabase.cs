using Marten;
using Npgsql;
using Signup.EventLog;
using Signup.Tests.Fixture;

namespace Signup.Tests.Integration.Query;

/// <summary>A database of a test class's own, with an empty log in it.</summary>
public sealed class LogDatabase : IAsyncDisposable
{
    private LogDatabase(NpgsqlDataSource database, DocumentStore store, string connectionString) =>
        (Database, Store, ConnectionString) = (database, store, connectionString);

    public NpgsqlDataSource Database { get; }
    public DocumentStore Store { get; }
    public string ConnectionString { get; }

    /// <param name="name">Lower-case letters.</param>
    public static async Task<LogDatabase> CreateAsync(string name)
    {
        var parts = await Parts.CreateAsync(name);
        // Where the server's clock shows another time than UTC, the log must not.
        var builder = new NpgsqlConnectionStringBuilder(parts.Postgres);
        await using (var connection = new NpgsqlConnection(parts.Postgres))
        {
            await connection.OpenAsync();
            await using var zone = new NpgsqlCommand($"alter database {builder.Database} set timezone = 'Asia/Kolkata'", connection);
            await zone.ExecuteNonQueryAsync();
        }
        var database = LogStore.Connect(parts.Postgres);
        var store = new DocumentStore(Configured(database));
        await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        return new LogDatabase(database, store, parts.Postgres);
    }

    /// <summary>Appends to a stream as Marten does, and returns the events' positions.</summary>
    public static async Task<long[]> AppendAsync(NpgsqlConnection connection, Guid streamId, params (string Type, string Data)[] events)
    {
        await using var command = new NpgsqlCommand($"select {LogStore.Schema}.mt_quick_append_events(@stream, null, '*DEFAULT*', @ids, @types, @names, @data::jsonb[], @nothing)", connection);
        command.Parameters.AddWithValue("stream", streamId);
        command.Parameters.AddWithValue("ids", events.Select(_ => Guid.NewGuid()).ToArray());
        command.Parameters.AddWithValue("types", events.Select(e => e.Type).ToArray());
        command.Parameters.AddWithValue("names", events.Select(e => e.Type).ToArray());
        command.Parameters.AddWithValue("data", events.Select(e => e.Data).ToArray());
        command.Parameters.Add(new NpgsqlParameter("nothing", NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Bytea) { Value = new byte[]?[events.Length] });
        // The first number is the stream's new version.
        return ((long[])(await command.ExecuteScalarAsync())!)[1..];
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await Database.DisposeAsync();
    }

    private static StoreOptions Configured(NpgsqlDataSource database)
    {
        var options = new StoreOptions();
        LogStore.Configure(options, database);
        return options;
    }
}
