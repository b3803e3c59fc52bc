using Npgsql;

namespace Signup.EventLog;

/// <summary>What the log's order is made of.</summary>
/// <param name="IsOwn">It is of the partition that is read.</param>
internal readonly record struct EventHead(long Position, Guid Id, bool IsOwn);

/// <summary>
/// A standby of the log's database, by which those who read the log in its order spare the primary. Which events come next, the primary says, in a list of positions and ids: it alone knows who is about to append, and
/// what there is after a promotion. What these events say is read in the standby, as far as it has come. So it does not matter how far that is, nor which primary it follows.
/// Of 1,000 events the list takes a tenth of the server's time that the events take (0.7 of 7.7 ms; PostgreSQL 15, 2026-11-30).
/// </summary>
/// <param name="standby">Anything that replicates the primary by its write-ahead log; also the primary itself.</param>
public sealed class LogReplica(NpgsqlDataSource standby) : IAsyncDisposable
{
    /// <summary>That of the setting <c>ConnectionStrings:PostgresReplica</c>. Of several hosts that one is connected to which is a standby, or the primary where no standby is there; the connection string may say otherwise.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="InvalidOperationException">It is no connection string.</exception>
    public static LogReplica? Of(string? connectionString)
    {
        if (connectionString is not { Length: > 0 }) return null;
        try
        {
            return new LogReplica(LogStore.ConnectToStandby(connectionString));
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException($"The setting ConnectionStrings:PostgresReplica must be a connection string, like ConnectionStrings:Postgres: {e.Message}", e);
        }
    }

    /// <summary>The highest position that has come there, 0 before the first.</summary>
    public async Task<long> LastPositionAsync(CancellationToken cancellation)
    {
        await using var command = standby.CreateCommand(LogReader.LastPosition);
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    public ValueTask DisposeAsync() => standby.DisposeAsync();

    /// <param name="heads">Of all the partition's events between the first and the last of them, in order.</param>
    /// <returns>The first of these, as many as have come.</returns>
    /// <exception cref="InvalidDataException">The server replicates another log.</exception>
    internal async Task<List<StoredRow>> ReadAsync(List<EventHead> heads, Partition partition, CancellationToken cancellation)
    {
        if (heads.Count == 0) return [];
        await using var command = standby.CreateCommand($"select {StoredEvents.Columns} {StoredEvents.From} where e.seq_id between $1 and $2 and {Partition.Has("e.stream_id", "$3", "$4")} order by e.seq_id");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = heads[0].Position });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = heads[^1].Position });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = partition.Low });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = partition.High });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var rows = new List<StoredRow>(heads.Count);
        while (rows.Count < heads.Count && await reader.ReadAsync(cancellation))
        {
            var (row, expected) = (StoredEvents.Read(reader), heads[rows.Count]);
            // Later ones may have come before it.
            if (row.Event.Position != expected.Position) break;
            if (row.Event.EventId != expected.Id)
                throw new InvalidDataException($"The standby of ConnectionStrings__PostgresReplica has another event at position {expected.Position} than the primary: it is none of that one, or not any more, and has to be copied from it anew.");
            rows.Add(row);
        }
        return rows;
    }
}
