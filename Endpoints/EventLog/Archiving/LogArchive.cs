using Npgsql;
using NpgsqlTypes;

namespace Signup.EventLog.Archiving;

/// <summary>What <see cref="DroppedEvents"/> say, from the archive's files. Who reads them in order reads each part of a file once; the last few are kept.</summary>
/// <param name="archive">Null: nobody has told where it is.</param>
public sealed class LogArchive(NpgsqlDataSource database, ArchiveTarget? archive)
{
    /// <summary>Of two thousand events each.</summary>
    private const int PartsKept = 6;

    private readonly Lock _lock = new();

    /// <summary>The last read first. Never changed, only replaced.</summary>
    private volatile IReadOnlyList<StoredEvent>[] _parts = [];
    private volatile IReadOnlyList<ArchivedRange> _ranges = [];

    /// <summary>Has these rows, in whatever order they are, say what they said before they were dropped.</summary>
    /// <exception cref="ArchiveException">It is not in the archive, or that cannot be read. Says which file is the matter, and what to do.</exception>
    internal async Task FillAsync(List<StoredRow> rows, CancellationToken cancellation)
    {
        // In the files' order.
        foreach (var i in Enumerable.Range(0, rows.Count).Where(i => rows[i].Event.Data is null).OrderBy(i => rows[i].Event.Position).ToList())
            rows[i] = await FillAsync(rows[i], cancellation);
    }

    /// <inheritdoc cref="FillAsync(List{StoredRow}, CancellationToken)"/>
    internal async ValueTask<StoredRow> FillAsync(StoredRow row, CancellationToken cancellation) => row with { Event = await FindAsync(row.Event, cancellation) };

    /// <param name="left">What the database has of it.</param>
    /// <exception cref="ArchiveException">It is not in the archive, or that cannot be read. Says which file is the matter, and what to do.</exception>
    private async ValueTask<StoredEvent> FindAsync(StoredEvent left, CancellationToken cancellation)
    {
        var part = Array.Find(_parts, p => p[0].Position <= left.Position && left.Position <= p[^1].Position) ?? await ReadAsync(left.Position, cancellation);
        var (low, high) = (0, part.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (part[middle].Position < left.Position) low = middle + 1;
            else high = middle;
        }
        return part[low] is var e && e with { Data = null, Headers = null } == left ? e : throw archive!.Changed(RangeOf(left.Position)!, $"it has another event than {left.EventId} at position {left.Position}");
    }

    /// <summary>In the connection's transaction, which must be rolled back in the end: makes a view <c>events</c> of all events, with what dropped ones say.</summary>
    /// <returns>Whether there are any; else there is no such view.</returns>
    internal async Task<bool> ShowAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        // One snapshot for what is copied, and for what is asked then.
        await ExecuteAsync(connection, "set transaction isolation level repeatable read", cancellation);
        if (await DroppedEvents.ReadAsync(connection, 0, 1, cancellation) is []) return false;
        await ExecuteAsync(connection, "create temporary table said (seq_id bigint primary key, data jsonb not null, headers jsonb)", cancellation);
        for (var after = 0L; await DroppedEvents.ReadAsync(connection, after, 5_000, cancellation) is { Count: > 0 } dropped; after = dropped[^1].Position)
        {
            await using var copy = await connection.BeginBinaryImportAsync("copy pg_temp.said from stdin (format binary)", cancellation);
            foreach (var left in dropped)
            {
                var e = await FindAsync(left, cancellation);
                await copy.StartRowAsync(cancellation);
                await copy.WriteAsync(e.Position, cancellation);
                await copy.WriteAsync(e.Data!, NpgsqlDbType.Jsonb, cancellation);
                if (e.Headers is null) await copy.WriteNullAsync(cancellation);
                else await copy.WriteAsync(e.Headers, NpgsqlDbType.Jsonb, cancellation);
            }
            await copy.CompleteAsync(cancellation);
        }
        await ExecuteAsync(connection, $"analyze pg_temp.said; {DroppedEvents.View("create temporary view events", "data, headers", "join pg_temp.said using (seq_id)")}", cancellation);
        return true;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private async Task<IReadOnlyList<StoredEvent>> ReadAsync(long position, CancellationToken cancellation)
    {
        if (archive is null) throw new ArchiveException($"What the event at position {position} says was dropped from the log, and is in its archive: set Archive__Target to where that is, for whoever reads the log.");
        if (RangeOf(position) is null)
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            _ranges = await ArchivedRange.AllAsync(connection, cancellation);
        }
        var range = RangeOf(position) ?? throw new ArchiveException($"What the event at position {position} says was dropped from the log, and the table {ArchivedRange.Table} names no file that has it: bring that back from a backup of the database.");
        var part = await archive.ReadPartAsync(range, position, cancellation);
        lock (_lock) _parts = [part, .. _parts.Take(PartsKept - 1)];
        return part;
    }

    private ArchivedRange? RangeOf(long position) => _ranges.FirstOrDefault(r => r.First <= position && position <= r.Last);
}
