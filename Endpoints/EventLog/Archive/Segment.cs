using Npgsql;

namespace Signup.EventLog.Archive;

/// <summary>A closed file of the archive, as the table <c>log.archived_segment</c> has it. It never changes.</summary>
/// <param name="First">The lowest position it covers: the one behind the segment before it, whether an event has it or not.</param>
/// <param name="Last">The position of its last event.</param>
/// <param name="Count">How many events it holds.</param>
/// <param name="Oldest">When the first of them was appended, by the clock; <paramref name="Newest"/>, the last.</param>
/// <param name="File">Its name in the archive's directory.</param>
/// <param name="Sha256">Of the file, in hexadecimal digits.</param>
/// <param name="Directory">Where the archive is now; of all of it the same.</param>
public sealed record Segment(long First, long Last, long Count, DateTimeOffset Oldest, DateTimeOffset Newest, string File, string Sha256, string Directory)
{
    public string Path => System.IO.Path.Combine(Directory, File);

    /// <summary>Closed segments.</summary>
    /// <param name="where">SQL: which ones, in which order. The table is <c>s</c>.</param>
    public static async Task<IReadOnlyList<Segment>> FindAsync(NpgsqlConnection connection, string where, CancellationToken cancellation, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand($"""
            select s.first, s.last, s.count, s.oldest, s.newest, s.file, s.sha256, a.directory
            from {ArchiveTables.Segment} s cross join {ArchiveTables.Archive} a where {where}
            """, connection);
        command.Parameters.AddRange(parameters);
        var segments = new List<Segment>();
        await using var row = await command.ExecuteReaderAsync(cancellation);
        while (await row.ReadAsync(cancellation))
            segments.Add(new Segment(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetFieldValue<DateTimeOffset>(3), row.GetFieldValue<DateTimeOffset>(4), row.GetString(5), row.GetString(6), row.GetString(7)));
        return segments;
    }

    /// <summary>Its events, from the file: all of them and unchanged, or none.</summary>
    /// <exception cref="ArchiveException">The file is missing or is not what was written. Says which, and what to do.</exception>
    public async Task<IReadOnlyList<StoredEvent>> LoadAsync(CancellationToken cancellation)
    {
        byte[] bytes;
        try
        {
            bytes = await System.IO.File.ReadAllBytesAsync(Path, cancellation);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ArchiveException($"{Path} is missing, which holds positions {First} to {Last} of the log. Put it back there from a copy. " +
                "Where the whole archive has moved, set Archive__Directory to its new place and run './run Archive verify'.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"{Path} cannot be read, which holds positions {First} to {Last} of the log: {e.Message}", e);
        }
        if (HashOf(bytes) is var hash && hash != Sha256) throw Changed($"its SHA-256 is {hash}, not {Sha256}");
        try
        {
            var events = await SegmentFile.ReadAsync(bytes, cancellation);
            if (events.Count != Count || events[^1].Position != Last || events[0].Position < First || events.Zip(events.Skip(1)).Any(pair => pair.First.Position >= pair.Second.Position))
                throw Changed($"it does not hold {Count} events from {First} to {Last} in order");
            return events;
        }
        catch (FormatException e)
        {
            throw Changed(e.Message);
        }

        ArchiveException Changed(string how) => new($"{Path} is not what was written: {how}. Put it back from a copy; './run Archive verify' checks all files.");
    }

    public static string HashOf(byte[] bytes) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
}

/// <summary>What has been dropped from the log's table cannot be read from the archive. The message says which file is the matter, and what to do.</summary>
public sealed class ArchiveException(string message, Exception? inner = null) : IOException(message, inner);
