using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archive;

namespace Signup.Archive;

/// <summary>
/// Copies the log to files, segment by segment, in order, and leaves the log as it is.
/// <para>
/// A file is written beside its name, made durable and renamed; then its row is inserted, which closes it: rows are the checkpoint. Dying in between
/// leaves a file without a row, and the next archiver makes the same file again. <see cref="LogReader"/> tells which positions are
/// final, so a late commit is waited for and not skipped.
/// </para>
/// </summary>
/// <param name="log">Reads events as they are stored. Kept over many passes, since it remembers which gaps it waits for.</param>
public sealed class Archiver(NpgsqlDataSource database, LogReader log, ArchiveSettings settings, TimeProvider time)
{
    /// <summary>Between looks at a gap that a running transaction may still fill.</summary>
    private static readonly TimeSpan GapPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Copies what has become old enough, and returns each segment once it is closed. Only full ones, but with <paramref name="until"/>.</summary>
    /// <param name="until">Copies what was appended up to this moment, however young it is, and closes the last segment even if it is not full. Waits
    /// for transactions that are running meanwhile: what they append may belong to it.</param>
    /// <exception cref="ArchiveException">The directory is not this log's archive.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public async IAsyncEnumerable<Segment> CopyAsync(DateTimeOffset? until, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var directory = await ArchiveDirectory.EnterAsync(database, settings.Directory, cancellation);
        var connection = directory.Connection;
        // Left by those who died: nobody else is at work.
        foreach (var unfinished in Directory.EnumerateFiles(settings.Directory, $"*{DurableFile.Unfinished}")) File.Delete(unfinished);
        while (true)
        {
            var after = await CheckpointAsync(connection, cancellation);
            if (await EndOfNextAsync(connection, after, until, cancellation) is not { } last) yield break;
            yield return await CloseAsync(connection, await ReadAsync(connection, after, last, cancellation), after, cancellation);
        }
    }

    /// <summary>The position of the last event in the archive, 0 before the first.</summary>
    private static Task<long> CheckpointAsync(NpgsqlConnection connection, CancellationToken cancellation) => connection.ExecuteScalarAsync<long>(
        new CommandDefinition($"select coalesce(max(last), 0) from {LogStore.Schema}.archived_segment", cancellationToken: cancellation));

    /// <summary>The position with which the next segment ends; null while there is not enough for it.</summary>
    private async Task<long?> EndOfNextAsync(NpgsqlConnection connection, long after, DateTimeOffset? until, CancellationToken cancellation)
    {
        var youngest = until ?? time.GetUtcNow() - settings.MinimumAge;
        // Cheaply first, since mostly it is not full, or the event that would fill it is too young.
        if (until is null && (await FillsAtAsync(connection, after, cancellation) is not { } filledAt || filledAt > youngest.UtcDateTime)) return null;

        var (position, count) = (after, 0);
        // Who names a moment wants all up to it: a gap that a running transaction may still fill is waited for.
        var end = until is null ? 0 : await log.LastPositionAsync(cancellation);
        while (count < settings.EventsPerSegment)
        {
            var events = await log.ReadAsync(position, Math.Min(1_000, settings.EventsPerSegment - count), cancellation);
            var old = events.TakeWhile(e => e.At <= youngest).ToList();
            if (old.Count > 0) (position, count) = (old[^1].Position, count + old.Count);
            if (old.Count < events.Count || (events.Count == 0 && position >= end)) break;
            if (events.Count == 0) await Task.Delay(GapPause, time, cancellation);
        }
        return count == settings.EventsPerSegment || (until is not null && count > 0) ? position : null;
    }

    /// <summary>When the event was appended that would fill the next segment, should no late commit come before it.</summary>
    private Task<DateTime?> FillsAtAsync(NpgsqlConnection connection, long after, CancellationToken cancellation) => connection.ExecuteScalarAsync<DateTime?>(new CommandDefinition(
        $"select timestamp from {LogStore.Schema}.mt_events where seq_id > @after order by seq_id offset @others limit 1",
        new { after, others = settings.EventsPerSegment - 1 }, cancellationToken: cancellation));

    /// <summary>The rows of a range that is known to be final.</summary>
    internal static async Task<IReadOnlyList<StoredEvent>> ReadAsync(NpgsqlConnection connection, long after, long last, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            select seq_id, stream_id, version, id, type, data::text, timestamp, tenant_id, mt_dotnet_type, is_archived, bdata is not null
            from {LogStore.Schema}.mt_events where seq_id > @after and seq_id <= @last order by seq_id
            """, connection);
        command.Parameters.AddWithValue("after", after);
        command.Parameters.AddWithValue("last", last);
        var events = new List<StoredEvent>();
        await using var row = await command.ExecuteReaderAsync(cancellation);
        while (await row.ReadAsync(cancellation))
        {
            if (row.GetBoolean(10)) throw new InvalidOperationException($"Position {row.GetInt64(0)} has a binary body, for which the archive has no column.");
            events.Add(new StoredEvent(row.GetInt64(0), row.GetGuid(1), row.GetInt64(2), row.GetGuid(3), row.GetString(4), row.GetString(5), row.GetFieldValue<DateTimeOffset>(6),
                row.GetString(7), await row.IsDBNullAsync(8, cancellation) ? null : row.GetString(8), row.GetBoolean(9)));
        }
        return events;
    }

    private async Task<Segment> CloseAsync(NpgsqlConnection connection, IReadOnlyList<StoredEvent> events, long after, CancellationToken cancellation)
    {
        var bytes = await SegmentFile.WriteAsync(events, cancellation);
        var sha256 = Segment.HashOf(bytes);
        var segment = new Segment(after + 1, events[^1].Position, events.Count, events.Min(e => e.At), events.Max(e => e.At),
            SegmentFile.NameOf(after + 1, events[^1].Position, sha256), sha256, settings.Directory);
        await DurableFile.WriteAsync(segment.Path, bytes, cancellation);
        // By the session that holds the lock: who was frozen and has lost the one cannot do the other.
        await connection.ExecuteAsync(new CommandDefinition($"""
            insert into {LogStore.Schema}.archived_segment (first, last, count, oldest, newest, file, sha256)
            values (@First, @Last, @Count, @Oldest, @Newest, @File, @Sha256)
            """, segment, cancellationToken: cancellation));
        return segment;
    }
}
