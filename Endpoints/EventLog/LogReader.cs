using System.Runtime.CompilerServices;
using Npgsql;
using Signup.EventLog.Archiving;

namespace Signup.EventLog;

/// <summary>An event with its place in the log.</summary>
/// <param name="Position">Place in the log's total order; ascending, with gaps.</param>
/// <param name="Version">Number within its stream, from 1.</param>
/// <param name="Type">Frozen name, see <see cref="EventTypes"/>.</param>
/// <param name="Data">JSON in its present shape (see <see cref="Upcasting"/>), camelCase, with personal texts opened (see <see cref="PersonalData"/>). May hold secrets: show <see cref="EventTypes.WithoutSecrets"/> of it.</param>
/// <param name="At">When it was appended.</param>
/// <param name="Headers">JSON; null where it has none. See <see cref="Cause"/>.</param>
public sealed record LoggedEvent(long Position, Guid StreamId, long Version, Guid EventId, string Type, string Data, DateTimeOffset At, string? Headers = null)
{
    /// <summary>What led to it.</summary>
    public Cause Cause => Cause.Read(Headers);

    /// <summary>What it leads to is caused by it. Who does that acts on their own.</summary>
    public Cause AsCause()
    {
        var (id, cause) = (EventId.ToString(), Cause);
        var correlation = cause.CorrelationId ?? id;
        return new(id, cause.ConversationId ?? correlation, correlation, cause.TraceParent);
    }
}

/// <summary>
/// Reads the log in its total order and never skips an event.
/// <para>
/// Positions come from a sequence before the transaction commits, so a lower position can become visible after a higher one,
/// and a transaction that rolls back leaves a gap for ever. A reader that trusts "greater than the last position" skips events.
/// This one stops before a gap until the gap cannot be filled any more. Whoever has taken a position has locked the sequence for it, and keeps that lock until its
/// transaction has ended: so those who could fill the gaps below a position that was seen are among those who hold the lock then. Once these have ended, what is still
/// missing stays missing. Transactions that have nothing to do with the log hold up nobody.
/// https://github.com/postgres/postgres/blob/REL_17_0/src/backend/commands/sequence.c, lock_and_open_sequence
/// No clock is involved: a writer frozen for an hour delays readers, it does not lose an event.
/// </para>
/// </summary>
/// <param name="archive">What was dropped from the log into its archive is read from there, as if it were not (<see cref="DroppedEvents"/>). Null where nobody has told where that is: then nothing that was dropped can be read.</param>
/// <param name="asStored">Whether events of older shapes come as they are stored: for copies of the log.</param>
/// <param name="replica">Where events are read whose turn it is in the log's order. Null: at <paramref name="dataSource"/>, which is the primary, as all else.</param>
public sealed class LogReader(NpgsqlDataSource dataSource, LogArchive? archive = null, bool asStored = false, LogReplica? replica = null)
{
    /// <summary>Of what is not read in the log's order. So many are in memory, and no part of the archive is read twice for them.</summary>
    private const int RowsAtOnce = 10_000;

    internal const string LastPosition = $"select coalesce(max(seq_id), 0) from {LogStore.Events}";

    private readonly LogArchive _archive = archive ?? new LogArchive(dataSource, archive: null);
    private readonly Lock _lock = new();

    private Settled _settled = new(default, 0);
    private Fence? _waiting;

    /// <summary>Where events are read whose turn it is, if not at the primary.</summary>
    public LogReplica? Replica => replica;

    /// <summary>Up to <paramref name="limit"/> events behind <paramref name="after"/>, in order. Empty at the end of the log, or where the
    /// next position may still be filled by a transaction that is running, or has not come to the replica: ask again.</summary>
    public async Task<IReadOnlyList<LoggedEvent>> ReadAsync(long after, int limit, CancellationToken cancellation)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellation);
        for (var again = false; ; again = true)
        {
            var next = (await NextAsync(connection, "select @after as position, 0 as low, 65535 as high", after, limit, cancellation))!;
            // Most gaps were left by a rollback, and a second look settles them.
            if (next.Events.Count > 0 || !next.Waits || again) return next.Events;
        }
    }

    /// <summary>Reads behind a checkpoint, on a connection in a transaction of the isolation READ COMMITTED: of its partitions that one which is most behind, and which no other transaction holds. It is held
    /// until this one's end, which does not wait for the server's disk: checkpoint and what belongs to it would be lost together, and be derived again.</summary>
    /// <param name="limit">Of the events.</param>
    /// <returns>Null where others hold all of it, or this process may not take events in.</returns>
    public Task<Stretch?> FollowAsync(NpgsqlConnection connection, Checkpoint checkpoint, int limit, CancellationToken cancellation) => NextAsync(connection, checkpoint.Next, after: null, limit, cancellation);

    /// <summary>All that happened in one stream, in order.</summary>
    /// <exception cref="InvalidDataException">It holds an event of a kind that this version of the code does not know: nothing can be decided on what is left.</exception>
    public async Task<IReadOnlyList<object>> ReadStreamAsync(Guid stream, CancellationToken cancellation) =>
        [.. (await ReadStreamsAsync([stream], cancellation))[stream].Select(e => EventTypes.Read(e) ?? throw new InvalidDataException($"The stream {stream} holds an event of the kind '{e.Type}', which is unknown here."))];

    /// <summary>All events of these streams, each in order: also those that a reader in the log's order has not come to yet.</summary>
    /// <param name="forTheLastMail">Whether keys that are leaving open them: see <see cref="PersonalKeys"/>.</param>
    public async Task<ILookup<Guid, LoggedEvent>> ReadStreamsAsync(IReadOnlyCollection<Guid> streams, CancellationToken cancellation, bool forTheLastMail = false)
    {
        if (streams.Count == 0) return Array.Empty<LoggedEvent>().ToLookup(e => e.StreamId);
        await using var command = dataSource.CreateCommand($"select {(forTheLastMail ? StoredEvents.ColumnsForTheLastMail : StoredEvents.Columns)} {StoredEvents.From} where e.stream_id = any(@streams) order by e.stream_id, e.version");
        command.Parameters.AddWithValue("streams", streams.ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return (await ReadAsync(reader, cancellation).ToListAsync(cancellation)).ToLookup(e => e.StreamId);
    }

    /// <summary>Events that are selected otherwise: by what is final, or in the order of a stream. Elsewhere only the methods above read by position without skipping.</summary>
    /// <param name="where">SQL behind <c>where</c>, about events <c>e</c>.</param>
    public async IAsyncEnumerable<LoggedEvent> SelectAsync(NpgsqlConnection connection, string where, IEnumerable<NpgsqlParameter> parameters, [EnumeratorCancellation] CancellationToken cancellation, int? commandTimeout = null)
    {
        await using var command = new NpgsqlCommand($"select {StoredEvents.Columns} {StoredEvents.From} where {where}", connection);
        if (commandTimeout is { } seconds) command.CommandTimeout = seconds;
        command.Parameters.AddRange(parameters.ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await foreach (var e in ReadAsync(reader, cancellation)) yield return e;
    }

    /// <summary>A partition's events in a range of positions that is final, since somebody has come to its end, in order, and so many at once. The connection is free between them.</summary>
    public async IAsyncEnumerable<IReadOnlyList<LoggedEvent>> ReadRangeAsync(NpgsqlConnection connection, Partition partition, long after, long upTo, int atOnce, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            var events = await SelectAsync(connection, $"e.seq_id > @after and e.seq_id <= @upTo and {Partition.Has("e.stream_id", "@low", "@high")} order by e.seq_id limit @limit",
                [new("after", after), new("upTo", upTo), new("low", partition.Low), new("high", partition.High), new("limit", atOnce)], cancellation).ToListAsync(cancellation);
            if (events.Count == 0) break;
            yield return events;
            after = events[^1].Position;
        }
    }

    /// <summary>For SQL of others: has them find all events as <c>events</c>, with the columns that <see cref="LogStore.Events"/> has, in the connection's transaction, which must be rolled back in the end.</summary>
    /// <param name="withData">Also what dropped ones say. It is copied from the archive, all of it, into a temporary table.</param>
    public async Task ShowEventsAsync(NpgsqlConnection connection, bool withData, CancellationToken cancellation)
    {
        if (withData && await _archive.ShowAsync(connection, cancellation)) return;
        await using var command = new NpgsqlCommand($"set local search_path = {LogStore.Schema}", connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>The highest position that any reader may know of, 0 in an empty log. Only for telling how far behind a reader is.</summary>
    public async Task<long> LastPositionAsync(CancellationToken cancellation)
    {
        await using var command = dataSource.CreateCommand(LastPosition);
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>Up to here nothing is missing but for ever: whoever reads these positions from now on reads all that will ever have them. Ask again, it grows.</summary>
    public async Task<long> FinalAsync(CancellationToken cancellation) => (await SettleAsync(cancellation)).Position;

    /// <param name="checkpoint">SQL that selects the columns <c>position</c>, <c>low</c> and <c>high</c> of one row, or of none.</param>
    /// <param name="after">For a checkpoint that says so.</param>
    private async Task<Stretch?> NextAsync(NpgsqlConnection connection, string checkpoint, long? after, int limit, CancellationToken cancellation)
    {
        // Before they are read: what an earlier look lacks, a later one may have seen settled.
        var settled = Volatile.Read(ref _settled);
        var rows = new List<StoredRow>();
        var (from, partition, heads, server) = await QueryAsync(connection, checkpoint, after, limit, replica is null ? rows : null, cancellation);
        if (from is not { } position) return null;
        var safe = await SafeAsync(position, heads, settled.At(server), cancellation);
        List<EventHead> own = [.. heads.Take(safe).Where(e => e.IsOwn).Take(limit)];
        var events = await OpenInOrderAsync(replica is null ? rows.GetRange(0, own.Count) : await replica.ReadAsync(own, partition, cancellation), cancellation);
        // Up to the first of them that is not among these.
        var left = events.Count;
        var passed = heads.Take(safe).TakeWhile(e => !e.IsOwn || left-- > 0).Count();
        return new(partition, position, passed > 0 ? heads[passed - 1].Position : position, events, passed == heads.Count ? heads.Count >= limit : events.Count == limit, passed < heads.Count);
    }

    /// <summary>Where the checkpoint stands, all that is behind it, since gaps show only in that, and since when the server runs.</summary>
    /// <param name="rows">Gets those of the checkpoint's partition; null: they are read elsewhere.</param>
    private static async Task<(long?, Partition, List<EventHead>, DateTime)> QueryAsync(NpgsqlConnection connection, string checkpoint, long? after, int limit, List<StoredRow>? rows, CancellationToken cancellation)
    {
        var (columns, keys) = rows is null ? ("", "") : ($"{StoredEvents.Columns},", StoredEvents.Keys);
        // One statement, so one snapshot for all. A checkpoint that was moved since is locked, and read, as it is now, and the events as they were then: some are left for the next time.
        var sql = $"""
            with checkpoint as materialized ({checkpoint})
            select {columns} e.seq_id, e.id, e.is_own, c.position, c.low, c.high, pg_postmaster_start_time()
            from checkpoint c left join lateral
                 (select seq_id, id, is_own, stream_id, version, case when is_own then type end as type, timestamp, case when is_own then data end as data, case when is_own then headers end as headers from
                     (select *, c.high - c.low = 65535 or {Partition.Has("stream_id", "c.low", "c.high")} as is_own
                      from {LogStore.Events} where seq_id > c.position order by seq_id limit @limit * (65536 / (c.high - c.low + 1))) next) e on true {keys}
            order by e.seq_id
            """;
        var command = new NpgsqlBatchCommand(sql);
        if (after is not null) command.Parameters.AddWithValue("after", after);
        command.Parameters.AddWithValue("limit", limit);
        await using var batch = new NpgsqlBatch(connection);
        if (after is null) batch.BatchCommands.Add(new("select set_config('synchronous_commit', 'off', true)"));
        batch.BatchCommands.Add(command);
        var (position, partition, server, heads) = ((long?)null, default(Partition), default(DateTime), new List<EventHead>());
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        if (after is null) await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var at = reader.FieldCount - 7;
            (position, partition, server) = (reader.GetInt64(at + 3), new(reader.GetInt32(at + 4), reader.GetInt32(at + 5)), reader.GetDateTime(at + 6));
            if (await reader.IsDBNullAsync(at, cancellation)) break;
            var head = new EventHead(reader.GetInt64(at), reader.GetGuid(at + 1), reader.GetBoolean(at + 2));
            heads.Add(head);
            if (head.IsOwn) rows?.Add(StoredEvents.Read(reader));
        }
        return (position, partition, heads, server);
    }

    /// <summary>Those before the first that cannot be read: that one stops whoever comes next.</summary>
    private async Task<List<LoggedEvent>> OpenInOrderAsync(List<StoredRow> rows, CancellationToken cancellation)
    {
        var events = new List<LoggedEvent>(rows.Count);
        foreach (var row in rows)
        {
            try
            {
                events.Add(StoredEvents.Open(row.Event.Data is null ? await _archive.FillAsync(row, cancellation) : row, asStored));
            }
            catch (Exception e) when (events.Count > 0 && e is (ArchiveException or InvalidDataException))
            {
                break;
            }
        }
        return events;
    }

    private async IAsyncEnumerable<LoggedEvent> ReadAsync(NpgsqlDataReader reader, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var rows = new List<StoredRow>();
        for (var more = true; more; rows.Clear())
        {
            while (rows.Count < RowsAtOnce && (more = await reader.ReadAsync(cancellation))) rows.Add(StoredEvents.Read(reader));
            foreach (var e in await OpenAsync(rows, cancellation)) yield return e;
        }
    }

    private async Task<List<LoggedEvent>> OpenAsync(List<StoredRow> rows, CancellationToken cancellation)
    {
        await _archive.FillAsync(rows, cancellation);
        return rows.ConvertAll(row => StoredEvents.Open(row, asStored));
    }

    /// <summary>How many of the events may be handed out.</summary>
    private async Task<int> SafeAsync(long after, List<EventHead> heads, long settled, CancellationToken cancellation)
    {
        var expected = after + 1;
        var safe = heads.FindIndex(e =>
        {
            if (e.Position != expected && e.Position > settled) return true;
            expected = e.Position + 1;
            return false;
        });
        if (safe < 0) return heads.Count;
        await SettleAsync(cancellation);
        return safe;
    }

    /// <summary>Settles what nobody can fill any more. One fence at a time, for all gaps that can be seen by then: it is passed sooner or later, and only then the next is needed.</summary>
    private async Task<Settled> SettleAsync(CancellationToken cancellation)
    {
        var waiting = Volatile.Read(ref _waiting);
        // The position first: whoever has a lower one is among those who are asked for next.
        await using var connection = await dataSource.OpenConnectionAsync(cancellation);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"select coalesce(max(seq_id), 0), pg_is_in_recovery(), pg_postmaster_start_time() from {LogStore.Events}"),
                new($"""
                    select virtualtransaction from pg_locks
                    where locktype = 'relation' and mode = 'RowExclusiveLock' and relation = '{LogStore.Schema}.mt_events_sequence'::regclass
                      and database = (select oid from pg_database where datname = current_database())
                    """),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        var position = reader.GetInt64(0);
        var server = reader.GetDateTime(2);
        if (reader.GetBoolean(1)) throw new InvalidOperationException("This server is a standby, which does not know who is about to append: ConnectionStrings__Postgres must lead to the primary. A standby is for ConnectionStrings__PostgresReplica.");
        await reader.NextResultAsync(cancellation);
        var writers = new HashSet<string>();
        while (await reader.ReadAsync(cancellation)) writers.Add(reader.GetString(0));

        lock (_lock)
        {
            var settled = _settled.At(server);
            if (_settled.Server != server) (waiting, _waiting) = (null, null);
            // Somebody else may have seen it passed meanwhile, and raised the next, whose writers this look was too early for.
            if (waiting is not null && waiting == _waiting && waiting.IsPassed(writers)) (settled, _waiting) = (Math.Max(settled, waiting.Position), null);
            if (writers.Count == 0) settled = Math.Max(settled, position);
            else _waiting ??= new Fence(position, writers);
            return _settled = new Settled(server, settled);
        }
    }

    /// <summary>What is missing up to <paramref name="Position"/> is missing for ever, at this server since it was started. One that takes its place, or itself after a crash, may have lost what was not
    /// acknowledged, and give those positions to others.</summary>
    private sealed record Settled(DateTime Server, long Position)
    {
        public long At(DateTime server) => server == Server ? Position : 0;
    }

    /// <summary>Positions up to <paramref name="Position"/> that are missing once all of <paramref name="Writers"/> have ended are missing for ever.</summary>
    private sealed record Fence(long Position, HashSet<string> Writers)
    {
        /// <summary>Of a prepared transaction the server does not tell any more which it was.</summary>
        public bool IsPassed(HashSet<string> running) => !running.Any(w => Writers.Contains(w) || w.StartsWith("-1/", StringComparison.Ordinal));
    }
}
