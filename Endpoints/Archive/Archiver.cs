using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;

namespace Signup.Archive;

/// <summary>
/// Copies the log to the archive, range by range, in order, and leaves the log as it is.
/// <para>
/// One transaction for each range: it takes its turn, reads the events, and inserts the range's row once the files are durable. That row is what counts. Whoever dies before leaves files that the next one writes again, the same;
/// or whole ones, which it compares with the log and keeps. Any number of archivers may run: one at a time has its turn, and who has lost it cannot commit.
/// </para>
/// </summary>
public sealed class Archiver(NpgsqlDataSource database, LogReader log, ArchiveSettings settings)
{
    private readonly ArchiveTarget _archive = settings.Target;

    /// <summary>Where a range begins of which nothing was written when the archive was looked at. It is asked no more until the range is complete: a bucket's owner pays for each question.</summary>
    private long _nothingWritten;

    /// <returns>The next range, archived. Null where it is not complete yet, or another archiver is at work.</returns>
    /// <exception cref="ArchiveException">What is in the archive is not of this log.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public async Task<ArchivedRange?> NextAsync(CancellationToken cancellation)
    {
        var final = await log.FinalAsync(cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // A disk may take its time over a file; whoever is frozen for longer loses its turn.
        await using (var turn = new NpgsqlCommand("set local idle_in_transaction_session_timeout = '1min'; select pg_try_advisory_xact_lock(hashtextextended('signup.archive', 0))", connection))
            if (!(bool)(await turn.ExecuteScalarAsync(cancellation))!) return null;
        var previous = await ArchivedRange.LastAsync(connection, cancellation);
        var first = (previous?.Last ?? 0) + 1;
        var last = first + settings.PositionsPerFile - 1;
        if (last > final && first == _nothingWritten) return null;
        if (previous is not null && await _archive.ManifestAsync(previous, cancellation) != previous)
            throw new ArchiveException($"{_archive.PathOf(ArchiveTarget.ManifestOf(previous))} is missing, or not of this log, which is archived up to position {previous.Last}: set Archive__Target to where that is, or put the files back from a copy.");

        var left = await LeftAsync(connection, first, final, cancellation);
        if (left is null && last > final)
        {
            _nothingWritten = first;
            return null;
        }
        var range = left ?? await _archive.WriteAsync(first, last, StoredEvent.ReadAsync(connection, first, last, cancellation), cancellation);
        await range.AddAsync(connection, cancellation);
        await transaction.CommitAsync(cancellation);
        return range;
    }

    /// <summary>Whoever has written a manifest that the database does not know has died before it could say so; or the database was brought back from an earlier backup; or it is another log.</summary>
    /// <returns>A range that begins so, and was written. Null where there is none.</returns>
    /// <exception cref="ArchiveException">There is one, and it is not of this log.</exception>
    private async Task<ArchivedRange?> LeftAsync(NpgsqlConnection connection, long first, long final, CancellationToken cancellation)
    {
        string? refused = null;
        foreach (var left in await _archive.WrittenAsync(first, cancellation))
        {
            var difference = left.Last > final ? $"it reaches to position {left.Last}, and the log, as far as it is final, to {final}"
                : await Comparison.WithLogAsync(connection, _archive, left, cancellation).FirstOrDefaultAsync(cancellation);
            if (difference is null) return left;
            refused = $"{_archive.PathOf(ArchiveTarget.ManifestOf(left))} is of another log, or of a later state of this one: {difference}. Set Archive__Target to a place of this log's own, or move the files from there on away.";
        }
        return refused is null ? null : throw new ArchiveException(refused);
    }
}
