using Npgsql;

namespace Signup.EventLog.Archive;

/// <summary>
/// The part of the log that has been dropped from its table, read from the archive's files. Where these are, the database says.
/// <para>
/// Events are dropped in one transaction with the mark up to where, so who reads both in one statement sees one or the other. Who reads them in
/// two statements reads the table first: then an event that is dropped in between is seen twice, which shows, and never not at all.
/// </para>
/// </summary>
public static class LogArchive
{
    /// <summary>As SQL: the position up to which the archive has the say, 0 where nothing has been dropped.</summary>
    public const string Dropped = $"coalesce((select dropped from {ArchiveTables.Archive}), 0)";

    /// <summary>As SQL: the highest position in the log, 0 in an empty one. Also where the last events have been dropped.</summary>
    public const string LastPosition = $"greatest((select max(seq_id) from {LogStore.Schema}.mt_events), {Dropped})";

    /// <summary>As SQL: how many dropped events the segments hold that end in a range of positions.</summary>
    public static string Count(string after, string upTo) =>
        $"coalesce((select sum(count) from {ArchiveTables.Segment} where last > {after} and last <= least({upTo}, {Dropped})), 0)::bigint";

    /// <summary>As SQL: when the first of the dropped events behind a position was appended, about; null where there is none.</summary>
    public static string OldestBehind(string position) =>
        $"(select oldest from {ArchiveTables.Segment} where last > {position} and last <= {Dropped} order by last limit 1)";

    /// <summary>As SQL: <c>event_id</c> and <c>position</c> of a stream's event that has been dropped; without a file being read.</summary>
    public static string DroppedEvent(string streamId, string version) =>
        $"select event_ids[{version}] as event_id, positions[{version}] as position from {ArchiveTables.Stream} where stream_id = {streamId}";

    /// <summary>As SQL: when the last of the dropped events was appended; null where there are none.</summary>
    public const string DroppedUntil = $"(select max(newest) from {ArchiveTables.Segment} where last <= {Dropped})";

    private static readonly SegmentCache Cache = new();

    /// <inheritdoc cref="Dropped"/>
    public static async Task<long> DroppedAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select {Dropped}", connection);
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>Up to <paramref name="limit"/> of the dropped events behind <paramref name="after"/>, in order: those of one file, so it can be
    /// fewer. Empty only where <paramref name="after"/> is at the end of what has been dropped.</summary>
    /// <exception cref="ArchiveException">They cannot be read.</exception>
    public static async Task<IReadOnlyList<StoredEvent>> ReadAsync(NpgsqlConnection connection, long after, int limit, CancellationToken cancellation)
    {
        var segments = await Segment.FindAsync(connection, $"s.last > @after and s.last <= {Dropped} order by s.last limit 1", cancellation, new NpgsqlParameter("after", after));
        if (segments.Count == 0 ? after < await DroppedAsync(connection, cancellation) : segments[0].First > after + 1)
            throw new ArchiveException($"Positions behind {after} have been dropped from the log's table, and the table {ArchiveTables.Segment} does not say which file holds them. Restore that table from a backup.");
        if (segments.Count == 0) return [];
        var events = await Cache.LoadAsync(segments[0], cancellation);
        return [.. events.Skip(IndexBehind(events, after)).Take(limit)];
    }

    /// <summary>All dropped events in order, file by file.</summary>
    /// <exception cref="ArchiveException">They cannot be read.</exception>
    public static async IAsyncEnumerable<StoredEvent> ReadAllAsync(NpgsqlConnection connection, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        for (var after = 0L; ;)
        {
            var events = await ReadAsync(connection, after, int.MaxValue, cancellation);
            if (events.Count == 0) yield break;
            foreach (var e in events) yield return e;
            after = events[^1].Position;
        }
    }

    /// <summary>The dropped events that came last, the latest first.</summary>
    public static async Task<IReadOnlyList<StoredEvent>> ReadLatestAsync(NpgsqlConnection connection, int limit, CancellationToken cancellation)
    {
        var latest = new List<StoredEvent>();
        foreach (var segment in await Segment.FindAsync(connection, $"s.last <= {Dropped} order by s.last desc limit @limit", cancellation, new NpgsqlParameter("limit", limit)))
        {
            if (latest.Count >= limit) break;
            latest.AddRange((await Cache.LoadAsync(segment, cancellation)).Reverse().Take(limit - latest.Count));
        }
        return latest;
    }

    /// <summary>The dropped events of these streams, each stream's in order.</summary>
    /// <exception cref="ArchiveException">They cannot be read.</exception>
    public static async Task<IReadOnlyList<StoredEvent>> ReadStreamsAsync(NpgsqlConnection connection, Guid[] ids, CancellationToken cancellation)
    {
        var positions = new List<long>();
        await using (var command = new NpgsqlCommand($"select unnest(positions) as position from {ArchiveTables.Stream} where stream_id = any(@ids) order by position", connection))
        {
            command.Parameters.AddWithValue("ids", ids);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) positions.Add(reader.GetInt64(0));
        }
        if (positions.Count == 0) return [];
        var found = new List<StoredEvent>(positions.Count);
        while (found.Count < positions.Count)
        {
            // One file, one statement: the database ends a transaction that is silent while many files are read.
            var next = positions[found.Count];
            var segments = await Segment.FindAsync(connection, "@position between s.first and s.last", cancellation, new NpgsqlParameter("position", next));
            var events = segments.Count == 0 ? [] : await Cache.LoadAsync(segments[0], cancellation);
            var before = found.Count;
            for (; found.Count < positions.Count && IndexBehind(events, positions[found.Count] - 1) is var i && i < events.Count && events[i].Position == positions[found.Count];) found.Add(events[i]);
            if (found.Count == before) throw new ArchiveException($"The archive does not have position {next}, which was dropped from the log's table. './run Archive verify' tells what is wrong with it.");
        }
        return found;
    }

    /// <summary>The last position that the dropped part had reached at a moment, 0 where it had not begun.</summary>
    public static async Task<long> PositionAtAsync(NpgsqlConnection connection, DateTimeOffset moment, CancellationToken cancellation)
    {
        var segments = await Segment.FindAsync(connection, $"s.last <= {Dropped} and s.oldest <= @moment order by s.last desc limit 1", cancellation, new NpgsqlParameter("moment", moment.ToUniversalTime()));
        return segments.Count == 0 ? 0
            : segments[0].Newest <= moment ? segments[0].Last
            : (await Cache.LoadAsync(segments[0], cancellation)).Where(e => e.At <= moment).Max(e => e.Position);
    }

    private static int IndexBehind(IReadOnlyList<StoredEvent> events, long position)
    {
        var (low, high) = (0, events.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (events[middle].Position <= position) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
