using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archive;
using Signup.Hosting;

namespace Signup.Archive;

/// <summary>
/// Compares the archive with what is known of it: every file with its checksum, every event in it with its row in the log's table, or, where that has been
/// dropped, with what has stayed of its stream. All within one snapshot of the database.
/// </summary>
public sealed class Verification(ProgressBar progress)
{
    /// <summary>How long this may be busy with a file, between two statements of its transaction.</summary>
    public const string LongestPause = "set local idle_in_transaction_session_timeout = '10min'";

    /// <returns>What is wrong, as it is found; never what an event says.</returns>
    /// <param name="connection">In a transaction of its own that sees one snapshot.</param>
    /// <param name="segments">In order, from the first one.</param>
    public async IAsyncEnumerable<string> RunAsync(NpgsqlConnection connection, IReadOnlyList<Segment> segments, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var dropped = await LogArchive.DroppedAsync(connection, cancellation);
        var after = 0L;
        var done = 0;
        foreach (var segment in segments)
        {
            progress.Report(done++, segments.Count);
            if (segment.First != after + 1) yield return $"{segment.Path} begins with position {segment.First}, and the file before it ends with {after}";
            after = segment.Last;
            var (events, problem) = await LoadAsync(segment, cancellation);
            if (problem is not null) yield return problem;
            else
                foreach (var difference in await CompareAsync(connection, segment, events, dropped, cancellation)) yield return $"{segment.Path}: {difference}";
        }
        if (dropped > after && segments.Count > 0) yield return $"events have been dropped up to position {dropped}, and the last file ends with {after}";
        progress.Report(segments.Count, segments.Count);
    }

    private static async Task<(IReadOnlyList<StoredEvent>, string?)> LoadAsync(Segment segment, CancellationToken cancellation)
    {
        try
        {
            return (await segment.LoadAsync(cancellation), null);
        }
        catch (ArchiveException e)
        {
            return ([], e.Message);
        }
    }

    private static async Task<List<string>> CompareAsync(NpgsqlConnection connection, Segment segment, IReadOnlyList<StoredEvent> events, long dropped, CancellationToken cancellation)
    {
        var rows = (await Archiver.ReadAsync(connection, segment.First - 1, segment.Last, cancellation)).ToDictionary(e => e.Position);
        var gone = events.Where(e => !rows.ContainsKey(e.Position)).Select(e => e.StreamId).Distinct().ToArray();
        var known = gone.Length == 0 ? [] : (await connection.QueryAsync<(Guid, long, Guid, long)>(new CommandDefinition($"""
            select stream_id, version, event_id, position
            from {LogStore.Schema}.archived_stream, unnest(event_ids, positions) with ordinality as e (event_id, position, version) where stream_id = any(@gone)
            """, new { gone }, cancellationToken: cancellation))).ToHashSet();
        var differences = new List<string>();
        foreach (var e in events)
        {
            if (rows.Remove(e.Position, out var row))
            {
                if (row != e) differences.Add($"position {e.Position} differs from the log's table in {string.Join(", ", Fields(e, row))}");
            }
            else if (segment.Last > dropped || !known.Contains((e.StreamId, e.Version, e.EventId, e.Position)))
                differences.Add($"position {e.Position} is not in the log's table, and was not dropped from it");
        }
        differences.AddRange(rows.Keys.Order().Select(position => $"position {position} is in the log's table, and not in the file"));
        return differences;
    }

    private static IEnumerable<string> Fields(StoredEvent file, StoredEvent row) =>
        typeof(StoredEvent).GetProperties().Where(p => !Equals(p.GetValue(file), p.GetValue(row))).Select(p => p.Name);
}
