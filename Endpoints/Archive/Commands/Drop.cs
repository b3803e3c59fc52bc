using System.CommandLine;
using Npgsql;
using Signup.EventLog.Archiving;
using Signup.Hosting.Commands;

namespace Signup.Archive.Commands;

/// <summary>Takes archived ranges out of the log's table, oldest first, while the system runs on.</summary>
internal static class Drop
{
    private const string Word = "drop";

    public static Command Define()
    {
        var before = LogOptions.Point("--before", "What lies before it. A range goes as a whole.");
        before.Required = true;
        return new Command("drop", "Takes events out of the log's table whose ranges lie before a position, or a moment, and are in the archive, each as it was; asks before. They are read from there from then on.") { before }
            .Runs((given, cancellation) => RunAsync(given, given.Get(before)!, cancellation));
    }

    private static async Task<int> RunAsync(Invocation given, LogPoint before, CancellationToken cancellation)
    {
        var archive = ArchiveSettings.TargetOf(given.Configuration);
        await using var database = await LogOwner.OpenAsync(given.Configuration, cancellation);
        var ranges = await FindAsync(database, before, cancellation);
        if (ranges.Count == 0)
        {
            Console.WriteLine($"No range that is archived, and in the log's table, lies before {before}: nothing is to be dropped.");
            return 0;
        }
        Console.WriteLine($"""
            {ranges.Sum(r => r.Events):N0} events, at positions {ranges[0].First} to {ranges[^1].Last}, are to be taken out of the log's table. What they say will be in {ranges.Count:N0} {(ranges.Count == 1 ? "file" : "files")} in {archive.Place} alone:
            every process reads them there, and whoever loses these files loses what happened. Are there copies of them? Type '{Word}' to go on:
            """);
        if (Console.ReadLine()?.Trim() != Word)
        {
            Console.WriteLine("Nothing was dropped.");
            return 1;
        }

        var (log, events) = (new DroppedRanges(database, archive, LogOwner.Actor), 0L);
        await ProgressBar.ShowAsync("files", async progress =>
        {
            for (var i = 0; i < ranges.Count; i++)
            {
                progress.Report(new(i, ranges.Count));
                events += await log.DropAsync(ranges[i], cancellation);
            }
            progress.Report(new(ranges.Count, ranges.Count));
        });
        await DroppedEvents.TidyAsync(database, cancellation);
        Console.WriteLine($"{events:N0} events were dropped, up to position {ranges[^1].Last}. './run Archive restore' puts them back.");
        return 0;
    }

    /// <summary>Those ranges that were not dropped, of all that lie before.</summary>
    private static async Task<IReadOnlyList<ArchivedRange>> FindAsync(NpgsqlDataSource database, LogPoint before, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var found = new List<ArchivedRange>();
        foreach (var range in await ArchivedRange.AllAsync(connection, cancellation))
        {
            if (range.Last >= before.Position) break;
            var (isDropped, last) = await range.StateAsync(connection, cancellation);
            if (last >= before.Moment) break;
            if (!isDropped && range.Events > 0) found.Add(range);
        }
        return found;
    }
}
