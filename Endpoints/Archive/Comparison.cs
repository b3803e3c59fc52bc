using System.Runtime.CompilerServices;
using Npgsql;
using Signup.EventLog.Archiving;

namespace Signup.Archive;

/// <summary>Holds what the archive has against what the log has.</summary>
internal static class Comparison
{
    /// <returns>What differs between a range's file and the log, as it is found; never what an event says. Of one that was dropped the log has no more than that it is there.</returns>
    /// <exception cref="ArchiveException">The file cannot be read, or is not what was written.</exception>
    public static async IAsyncEnumerable<string> WithLogAsync(NpgsqlConnection connection, ArchiveTarget archive, ArchivedRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var log = StoredEvent.ReadAsync(connection, range.First, range.Last, cancellation).GetAsyncEnumerator(cancellation);
        var more = await log.MoveNextAsync();
        await foreach (var group in archive.ReadAsync(range, cancellation))
            foreach (var e in group)
            {
                for (; more && log.Current.Position < e.Position; more = await log.MoveNextAsync()) yield return OnlyInLog();
                if (!more || log.Current.Position > e.Position)
                {
                    yield return $"position {e.Position} is not in the log";
                    continue;
                }
                if (log.Current != (log.Current.Data is null ? e with { Data = null, Headers = null } : e)) yield return $"position {e.Position} differs from the log in {string.Join(", ", Parts(e, log.Current))}";
                more = await log.MoveNextAsync();
            }
        for (; more; more = await log.MoveNextAsync()) yield return OnlyInLog();

        string OnlyInLog() => $"position {log.Current.Position} is in the log, and not in the file";
    }

    private static IEnumerable<string> Parts(StoredEvent file, StoredEvent log) =>
        typeof(StoredEvent).GetProperties().Where(p => !Equals(p.GetValue(file), p.GetValue(log)) && !(log.Data is null && p.Name is nameof(StoredEvent.Data) or nameof(StoredEvent.Headers))).Select(p => p.Name);
}
