using Marten;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Commands;
using Signup.Hosting.Following;
using Signup.Query.Commands;
using Signup.Query.Projection;

namespace Signup.Tests.Integration.Query;

/// <summary>A database of a test class's own, with an empty log in it.</summary>
public sealed class LogDatabase : IAsyncDisposable
{
    private LogDatabase(NpgsqlDataSource database, DocumentStore store, Parts parts) => (Database, Store, Parts) = (database, store, parts);

    public NpgsqlDataSource Database { get; }
    public DocumentStore Store { get; }
    public Parts Parts { get; }
    public string ConnectionString => Parts.Postgres;

    /// <param name="name">Lower-case letters.</param>
    /// <param name="state">As of <see cref="Parts.CreateAsync"/>.</param>
    public static async Task<LogDatabase> CreateAsync(string name, string? state = null)
    {
        var parts = await Parts.CreateAsync(name, withLog: true, state);
        // Where the server's clock shows another time than UTC, the log must not.
        var builder = new NpgsqlConnectionStringBuilder(parts.Postgres);
        // Not pooled: nobody would end the pool, and each database of a run would keep a connection to it open.
        await using (var connection = new NpgsqlConnection($"{parts.Postgres};Pooling=false"))
        {
            await connection.OpenAsync();
            await using var zone = new NpgsqlCommand($"alter database {builder.Database} set timezone = 'Asia/Kolkata'", connection);
            await zone.ExecuteNonQueryAsync();
        }
        var database = LogStore.Connect(parts.Postgres);
        return new LogDatabase(database, new DocumentStore(Configured(database)), parts);
    }

    /// <summary>Appends to a stream as Marten does, and returns the events' positions.</summary>
    public static async Task<long[]> AppendAsync(NpgsqlConnection connection, Guid streamId, params (string Type, string Data)[] events)
    {
        await using var command = new NpgsqlCommand($"select {LogStore.Schema}.mt_quick_append_events(@stream, null, '*DEFAULT*', @ids, @types, @names, @data::jsonb[], @nothing, @headers::jsonb[])", connection);
        command.Parameters.AddWithValue("stream", streamId);
        command.Parameters.AddWithValue("ids", events.Select(_ => Guid.NewGuid()).ToArray());
        command.Parameters.AddWithValue("types", events.Select(e => e.Type).ToArray());
        command.Parameters.AddWithValue("names", events.Select(e => e.Type).ToArray());
        command.Parameters.AddWithValue("data", events.Select(e => e.Data).ToArray());
        command.Parameters.Add(new NpgsqlParameter("nothing", NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Bytea) { Value = new byte[]?[events.Length] });
        command.Parameters.AddWithValue("headers", new string?[events.Length]);
        // The first number is the stream's new version.
        return ((long[])(await command.ExecuteScalarAsync())!)[1..];
    }

    /// <summary>Appends events to a stream in a transaction of their own, as the log's writers do.</summary>
    public async Task AppendAsync(Guid streamId, params object[] events)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Appending.AppendAsync(connection, [.. events.Select(e => NewEvent.Of(streamId, expectedVersion: null, e, Cause.None))]);
        await transaction.CommitAsync();
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The whole log, asked for as a follower does: an empty answer before the end means that a gap is not settled yet.</summary>
    public async Task<List<LoggedEvent>> ReadAllAsync(LogReader? reader = null, long after = 0)
    {
        reader ??= new LogReader(Database);
        var events = new List<LoggedEvent>();
        await Wait.UntilAsync(async () =>
        {
            events.AddRange(await reader.ReadAsync(events.Count > 0 ? events[^1].Position : after, 1_000, Wait.Token));
            return (events.Count > 0 ? events[^1].Position : after) >= await reader.LastPositionAsync(Wait.Token);
        }, "the reader is at the end of the log");
        return events;
    }

    public ReadModel ReadModel() => new(Database, new LogReader(Database));

    /// <summary>A follower of the read model, running; as many as are started.</summary>
    public async Task<LogFollower<ReadModel>> FollowAsync(WakeUp? wakeUp = null, TimeSpan? rest = null, LogReplica? standby = null)
    {
        var follower = new LogFollower<ReadModel>(ReadModel(), Database, new LogReader(Database, replica: standby), wakeUp ?? new WakeUp(), NullLogger<LogFollower<ReadModel>>.Instance, rest);
        // Its token would end the following, too, not the start alone.
        await follower.StartAsync(CancellationToken.None);
        return follower;
    }

    /// <returns>The position of the projection's checkpoint; null where somebody else holds it.</returns>
    public async Task<long?> LockAsync(IProjection projection, NpgsqlConnection connection) => (await new LogReader(Database).FollowAsync(connection, projection.Checkpoint, 1, Wait.Token))?.After;

    public Task CaughtUpAsync(LogFollower<ReadModel> follower) =>
        Wait.UntilAsync(async () => (await follower.MeasureAsync(Wait.Token)).Events == 0, "the read model is at the end of the log");

    /// <summary>What differs between the documents and the folds of their streams.</summary>
    public async Task<List<Difference>> AuditAsync(bool repair = false)
    {
        var found = new List<Difference>();
        await foreach (var difference in new Audit(Database, new LogReader(Database), Quiet).RunAsync(repair, Wait.Token)) found.Add(difference);
        return found;
    }

    public static IProgress<Done> Quiet { get; } = new Progress<Done>();

    public static AccountCreated Created(string email, string username = "Zoë") =>
        new(username, email, "$argon2id$secret", "en", new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero));

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
