using System.Security.Cryptography;
using Npgsql;

namespace Signup.EventLog;

/// <summary>What seals events, of some streams.</summary>
public sealed class Seals
{
    private readonly IReadOnlyDictionary<Guid, byte[]> _keys;
    private readonly byte[] _hashKey;

    internal Seals(IReadOnlyDictionary<Guid, byte[]> keys, byte[] hashKey) => (_keys, _hashKey) = (keys, hashKey);

    /// <summary>The event's JSON as it is stored.</summary>
    /// <param name="type">One with personal texts.</param>
    public string Seal(EventType type, Guid stream, string data) => PersonalData.Seal(type, stream, data, _keys[stream], _hashKey);
}

/// <summary>
/// The keys to what is personal in the log, one for each stream in which there is any: beside the log, so that they can be destroyed and it can be kept. Made with a stream's first personal text, in the same transaction.
/// <para>
/// A stream that is forgotten keeps its row, and loses its key. Between the two its key is <c>leaving</c>: as soon as the event that forgets is in the log, nobody reads by it any more but Mail,
/// which destroys it when it has noted, for the last mail, to whom that goes.
/// </para>
/// </summary>
public static class PersonalKeys
{
    /// <summary>The database schema that holds them, and nothing else.</summary>
    public const string Schema = "keys";

    internal const string Table = $"{Schema}.stream";

    /// <summary>The key by which addresses are hashed, one for all.</summary>
    private const string HashKey = $"{Schema}.hash";

    private const int Length = 32;

    /// <summary>Makes the tables, in the connection's transaction.</summary>
    internal static async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            create schema if not exists {Schema};
            create table if not exists {Table} (
                id      uuid primary key,
                key     bytea check (length(key) = {Length}), -- AES-256; null: destroyed
                leaving boolean not null default false);
            create table if not exists {HashKey} (one boolean primary key default true check (one), key bytea not null check (length(key) = {Length}));
            insert into {HashKey} (key) values ('\x{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Length))}') on conflict do nothing;
            """, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>What a role needs that appends to the log. SQL.</summary>
    internal static string Grants(string role) => $"""
        grant usage on schema {Schema} to {role};
        revoke all on all tables in schema {Schema} from {role};
        grant select, insert, update on {Table} to {role};
        grant select on {HashKey} to {role};
        """;

    /// <summary>The keys of these streams, made where there are none, and the one by which addresses are hashed; in the connection's transaction.</summary>
    /// <exception cref="StreamMovedOnException">One of them was forgotten.</exception>
    public static async Task<Seals> TakeAsync(NpgsqlConnection connection, IEnumerable<Guid> streams, CancellationToken cancellation)
    {
        // In one order everywhere, so that two who append wait for each other rather than deadlock.
        var ids = streams.Distinct().Order().ToArray();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"insert into {Table} (id, key) select * from unnest($1, $2) on conflict do nothing")
                {
                    Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = ids }, new NpgsqlParameter<byte[][]> { TypedValue = [.. ids.Select(_ => RandomNumberGenerator.GetBytes(Length))] } },
                },
                new($"select null, key, false from {HashKey} union all select id, key, leaving from {Table} where id = any($1)") { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = ids } } },
            },
        };
        var (keys, hashKey) = (new Dictionary<Guid, byte[]>(ids.Length), Array.Empty<byte>());
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            if (reader.IsDBNull(0)) hashKey = reader.GetFieldValue<byte[]>(1);
            else if (reader.IsDBNull(1) || reader.GetBoolean(2)) throw new StreamMovedOnException(reader.GetGuid(0));
            else keys[reader.GetGuid(0)] = reader.GetFieldValue<byte[]>(1);
        }
        return new Seals(keys, hashKey);
    }

    /// <summary>From the end of the connection's transaction on nobody reads by the keys of these streams any more, but Mail.</summary>
    public static Task LeaveAsync(NpgsqlConnection connection, Guid[] streams, CancellationToken cancellation) =>
        ExecuteAsync(connection, $"update {Table} set leaving = true where id = any($1) and key is not null", streams, cancellation);

    /// <summary>Nobody reads by the keys of these streams any more, whoever has copied what. Of those whose keys are not leaving, nothing is changed.</summary>
    public static Task DestroyAsync(NpgsqlConnection connection, Guid[] streams, CancellationToken cancellation) =>
        ExecuteAsync(connection, $"update {Table} set key = null, leaving = false where id = any($1) and leaving", streams, cancellation);

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, Guid[] streams, CancellationToken cancellation)
    {
        if (streams.Length == 0) return;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = streams } } };
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
