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
    private readonly ArchiveDirectory _directory = settings.Directory;

    /// <returns>The next range, archived. Null where it is not complete yet, or another archiver is at work.</returns>
    /// <exception cref="ArchiveException">What is in the directory is not of this log.</exception>
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
        if (previous is not null && await _directory.ManifestAsync(previous.First, cancellation) != previous)
            throw new ArchiveException($"{_directory.PathOf(ArchiveDirectory.ManifestOf(previous.First))} is missing, or not of this log, which is archived up to position {previous.Last}: set Archive__Target to where that is, or put the files back from a copy.");

        var first = (previous?.Last ?? 0) + 1;
        var last = first + settings.PositionsPerFile - 1;
        var left = await _directory.ManifestAsync(first, cancellation);
        if (left is null && last > final) return null;
        if (left is not null) await MustBeOfThisLogAsync(connection, left, final, cancellation);
        var range = left ?? await _directory.WriteAsync(first, last, StoredEvent.ReadAsync(connection, first, last, cancellation), cancellation);
        await range.AddAsync(connection, cancellation);
        await transaction.CommitAsync(cancellation);
        return range;
    }

    /// <summary>Whoever has written a manifest that the database does not know has died before it could say so; or the database was brought back from an earlier backup; or it is another log.</summary>
    private async Task MustBeOfThisLogAsync(NpgsqlConnection connection, ArchivedRange left, long final, CancellationToken cancellation)
    {
        var difference = left.Last > final ? $"it reaches to position {left.Last}, and the log, as far as it is final, to {final}" : null;
        if (difference is null)
            await foreach (var found in Comparison.WithLogAsync(connection, _directory, left, cancellation))
            {
                difference = found;
                break;
            }
        if (difference is not null)
            throw new ArchiveException($"{_directory.PathOf(ArchiveDirectory.ManifestOf(left.First))} is of another log, or of a later state of this one: {difference}. Set Archive__Target to a directory of this log's own, or move the files from there on away.");
    }
}
