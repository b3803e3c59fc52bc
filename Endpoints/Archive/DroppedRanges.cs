using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.EventLog.Operations;

namespace Signup.Archive;

/// <summary>Takes archived ranges out of the log's table, and puts them back: a range at a time, in one transaction with the event that says so. A range is there as a whole, or not at all.</summary>
/// <param name="owner">Signs in as the role that owns the log.</param>
/// <param name="by">Who does it.</param>
public sealed class DroppedRanges(NpgsqlDataSource owner, ArchiveTarget archive, string by)
{
    /// <summary>Of the events that say so. Frozen: it is in the log.</summary>
    public static readonly Guid Stream = new("a4c417ed-0000-5000-8000-000000000001");

    /// <summary>Takes a range's events out of the log's table, once each of them is found in the archive, and the same.</summary>
    /// <returns>How many; none where that was done before.</returns>
    /// <exception cref="ArchiveException">The file is missing, or is not what was written, or differs from the log. Nothing was dropped.</exception>
    public Task<long> DropAsync(ArchivedRange range, CancellationToken cancellation) =>
        MoveAsync(range, drop: true, connection => DroppedEvents.DropAsync(connection, range, cancellation), new EventsDropped(range.First, range.Last, range.Events, range.File), cancellation);

    /// <summary>Puts a range's events back.</summary>
    /// <returns>How many; none where they are there.</returns>
    /// <exception cref="ArchiveException">The file is missing, or is not what was written. Nothing was put back.</exception>
    public Task<long> RestoreAsync(ArchivedRange range, CancellationToken cancellation) =>
        MoveAsync(range, drop: false, connection => DroppedEvents.RestoreAsync(connection, archive.ReadAsync(range, cancellation), cancellation), new EventsRestored(range.First, range.Last, range.Events, range.File), cancellation);

    private async Task<long> MoveAsync(ArchivedRange range, bool drop, Func<NpgsqlConnection, Task<long>> move, object fact, CancellationToken cancellation)
    {
        await using var connection = await owner.OpenConnectionAsync(cancellation);
        if (range.Events == 0 || (await range.StateAsync(connection, cancellation)).IsDropped == drop) return 0;
        // Before anybody is held up. Neither file nor log changes any more.
        await foreach (var difference in Comparison.WithLogAsync(connection, archive, range, cancellation))
            throw new ArchiveException($"{archive.PathOf(range.File)} differs from the log: {difference}. './run Archive verify' says in what else.");

        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using (var turn = new NpgsqlCommand("select pg_advisory_xact_lock(hashtextextended('signup.archive', 0)); set local idle_in_transaction_session_timeout = '1min'", connection) { CommandTimeout = 0 })
            await turn.ExecuteNonQueryAsync(cancellation);
        var count = await move(connection);
        if (count == 0) return 0;
        if (count != range.Events) throw new ArchiveException($"Of the {range.Events} events at positions {range.First} to {range.Last} {count} would have been moved: nothing was changed.");
        await Appending.AppendAsync(connection, [NewEvent.Of(Stream, expectedVersion: null, fact, Cause.By(by))], cancellation);
        await transaction.CommitDurablyAsync();
        return count;
    }
}
