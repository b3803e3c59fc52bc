using System.Data;
using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archive;
using Signup.Hosting;

namespace Signup.Archive.Commands;

/// <summary>
/// Drops events from the log's table that are safe in the archive: of accounts that have ended, and whose events all are. Decisions about
/// any other account find its whole stream in the table, as before; of an ended one the table <c>archived_stream</c> keeps what they need.
/// <para>
/// The archive is verified first, in the transaction that drops: what is compared is what is deleted.
/// </para>
/// </summary>
internal static class Drop
{
    public static readonly Command Command = new("drop", "--until MOMENT",
        "Drops from the log's table the events of ended accounts that are in files whose events were all appended up to that moment, after verifying these. 1 where that finds a problem: then nothing is dropped.", async (line, cancellation) =>
    {
        line.Required("until");
        var until = line.Moment("until")!.Value;
        var settings = ArchiveSettings.From(line.Configuration);
        await using var database = line.OpenDatabase();
        using var progress = ProgressBar.OnConsole("files");
        await using var directory = await ArchiveDirectory.EnterAsync(database, settings.Directory, cancellation);
        var connection = directory.Connection;
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        await connection.ExecuteAsync(Verification.LongestPause);
        var dropped = await LogArchive.DroppedAsync(connection, cancellation);
        // From the beginning, without a hole: the archive ends where the table begins.
        var segments = (await Segment.FindAsync(connection, "true order by s.last", cancellation)).TakeWhile(s => s.Newest <= until || s.Last <= dropped).ToList();
        if (segments.Count == 0)
        {
            Console.WriteLine("No file holds only events up to that moment; nothing is dropped.");
            return 0;
        }
        var problems = 0;
        await foreach (var problem in new Verification(progress).RunAsync(connection, segments, cancellation))
        {
            if (problems++ == 0) progress.Dispose();
            Console.WriteLine(problem);
        }
        progress.Dispose();
        if (problems > 0)
        {
            Console.WriteLine($"Problems found: {problems}. Nothing is dropped.");
            return 1;
        }
        var (accounts, events) = await DropAsync(connection, segments[^1].Last, cancellation);
        await transaction.CommitAsync(cancellation);
        Console.WriteLine($"Verified {segments.Count:N0} files. Dropped {events:N0} events of {accounts:N0} ended accounts, up to position {segments[^1].Last}.");
        return 0;
    });

    internal static async Task<(long Accounts, long Events)> DropAsync(NpgsqlConnection connection, long upTo, CancellationToken cancellation)
    {
        // A stream goes as a whole, or what came to it since it went: the events in the table follow on those that are gone, and all are in the archive.
        // Its status is what the last event said that says one, as Account folds it.
        var (accounts, events) = await connection.QuerySingleAsync<(long, long)>(new CommandDefinition($"""
            with ended as (
                select stream_id, array_agg(e.id order by e.version) as event_ids, array_agg(e.seq_id order by e.version) as positions,
                       coalesce((array_agg(e.type order by e.version desc) filter (where e.type in ('AccountCreated', 'AccountActivated', 'AccountExpired', 'AccountDeleted')))[1],
                                'Account' || min(d.status)) as status
                from {LogStore.Schema}.mt_events e left join {LogStore.Schema}.archived_stream d using (stream_id)
                where stream_id in (select stream_id from {LogStore.Schema}.mt_events where type in ('AccountExpired', 'AccountDeleted') union select stream_id from {LogStore.Schema}.archived_stream)
                group by stream_id
                having max(e.seq_id) <= @upTo and min(e.version) = coalesce(max(cardinality(d.positions)), 0) + 1 and max(e.version) - min(e.version) = count(*) - 1),
            gone as (
                insert into {LogStore.Schema}.archived_stream as d (stream_id, status, event_ids, positions)
                select stream_id, substring(status from 8), event_ids, positions from ended where status in ('AccountExpired', 'AccountDeleted')
                on conflict (stream_id) do update set status = excluded.status, event_ids = d.event_ids || excluded.event_ids, positions = d.positions || excluded.positions
                returning stream_id),
            deleted as (delete from {LogStore.Schema}.mt_events where stream_id in (select stream_id from gone) returning 1),
            mark as (update {LogStore.Schema}.archive set dropped = greatest(dropped, @upTo))
            select (select count(*) from gone), (select count(*) from deleted)
            """, new { upTo }, commandTimeout: 0, cancellationToken: cancellation));
        return (accounts, events);
    }
}
