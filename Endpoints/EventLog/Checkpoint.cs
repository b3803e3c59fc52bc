using Npgsql;

namespace Signup.EventLog;

/// <summary>A part of the accounts: those whose ids, which are random there, end in four hexadecimal digits from <paramref name="Low"/> to <paramref name="High"/>. All events of an account are of one partition.</summary>
public readonly record struct Partition(int Low, int High)
{
    private const int Numbers = 0x10000;

    public static readonly Partition All = new(0, Numbers - 1);

    /// <summary>About how many of this size there are.</summary>
    public int Count => (int)Math.Round((double)Numbers / (High - Low + 1));

    /// <summary>The accounts in so many partitions, 1 to 65,536, of one size.</summary>
    public static IReadOnlyList<Partition> Divide(int count) => [.. Enumerable.Range(0, count).Select(i => new Partition((int)((long)i * Numbers / count), (int)((i + 1L) * Numbers / count) - 1))];

    /// <summary>SQL, of a condition: the stream is of a partition.</summary>
    internal static string Has(string stream, string low, string high) => $"get_byte(uuid_send({stream}), 14) * 256 + get_byte(uuid_send({stream}), 15) between {low} and {high}";

    public override string ToString() => $"{Low:x4}-{High:x4}";
}

/// <summary>What follows a checkpoint in the log.</summary>
/// <param name="Partition">Whose it is.</param>
/// <param name="After">Where the checkpoint stands.</param>
/// <param name="UpTo">Where it stands once the events are taken in: there may be others behind them, of other partitions. That of the checkpoint: nothing follows.</param>
/// <param name="Events">Of the partition, in the log's order.</param>
/// <param name="IsFull">There are as many as were asked for, so there may be more.</param>
/// <param name="Waits">There is more that cannot be handed out yet.</param>
public sealed record Stretch(Partition Partition, long After, long UpTo, IReadOnlyList<LoggedEvent> Events, bool IsFull, bool Waits);

/// <summary>
/// Where a projection stands in the log: in a row of its own, or in one for each partition of the accounts (<see cref="Columns"/>), which processes share. Whoever takes events in
/// locks the row, and moves it in the transaction that takes them in. Into how many partitions a projection is divided, the rows say: they cover all accounts, and none twice.
/// </summary>
/// <param name="Table">Its column <c>position</c>: of the last event of the log that is in the projection, 0 before the first.</param>
/// <param name="IsDivided">Whether it has the columns of <see cref="Columns"/>, not only one row.</param>
/// <param name="Condition">SQL: whether this process may take events in.</param>
public sealed record Checkpoint(string Table, bool IsDivided = false, string Condition = "true")
{
    /// <summary>SQL, of a table that is created.</summary>
    public const string Columns = "low int primary key, high int not null, position bigint not null";

    private string All => $"select position, {(IsDivided ? "low, high" : "0 as low, 65535 as high")} from {Table}";

    private string Rows => $"{All} where {Condition}";

    /// <summary>SQL: the row that is most behind of those nobody has locked.</summary>
    internal string Next => $"{Rows} order by position limit 1 for update skip locked";

    /// <summary>SQL, of one value: up to here all partitions have come. Null where this process may not take events in.</summary>
    public string Lowest => $"select min(position) from ({Rows}) checkpoint";

    /// <summary>SQL, of a condition on events <c>e</c>: taken in.</summary>
    public string Has => $"e.seq_id <= (select position from ({All}) checkpoint where {Partition.Has("e.stream_id", "low", "high")})";

    /// <summary>Up to there the partition's events are taken in with this transaction.</summary>
    public async Task MoveAsync(NpgsqlConnection connection, Partition partition, long position, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"update {Table} set position = $1{(IsDivided ? " where low = $2" : "")}", connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = position } } };
        if (IsDivided) command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = partition.Low });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Where it stands, in the order of the partitions.</summary>
    public async Task<IReadOnlyList<(Partition Partition, long Position)>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"{All} order by low", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var rows = new List<(Partition, long)>();
        while (await reader.ReadAsync(cancellation)) rows.Add((new(reader.GetInt32(1), reader.GetInt32(2)), reader.GetInt64(0)));
        return rows;
    }

    /// <summary>As <see cref="ReadAsync"/>, and until the end of the transaction nobody else takes anything in. Waits for those who are about to.</summary>
    public async Task<IReadOnlyList<(Partition Partition, long Position)>> HoldAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using (var command = new NpgsqlCommand($"lock table {Table} in exclusive mode", connection)) await command.ExecuteNonQueryAsync(cancellation);
        return await ReadAsync(connection, cancellation);
    }

    /// <summary>In place of all rows, while they are held: these partitions, all at one position. Who was about to lock an old row finds it gone, and looks again.</summary>
    public async Task ReplaceAsync(NpgsqlConnection connection, IEnumerable<Partition> partitions, long position, CancellationToken cancellation)
    {
        Partition[] all = [.. partitions];
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"delete from {Table}"),
                new($"insert into {Table} (low, high, position) select low, high, $3 from unnest($1, $2) as p (low, high)")
                {
                    Parameters =
                    {
                        new NpgsqlParameter<int[]> { TypedValue = [.. all.Select(p => p.Low)] }, new NpgsqlParameter<int[]> { TypedValue = [.. all.Select(p => p.High)] },
                        new NpgsqlParameter<long> { TypedValue = position },
                    },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellation);
    }
}
