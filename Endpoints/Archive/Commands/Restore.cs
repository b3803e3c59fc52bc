using System.CommandLine;
using Signup.EventLog.Archiving;
using Signup.Hosting.Commands;

namespace Signup.Archive.Commands;

/// <summary>Puts dropped ranges back into the log's table, the latest first, while the system runs on.</summary>
internal static class Restore
{
    public static Command Define()
    {
        var from = LogOptions.Position("--from", "Only the ranges that reach to it, or lie behind it.");
        return new Command("restore", "Puts dropped events back into the log's table.") { from }.Runs((given, cancellation) => RunAsync(given, given.Get(from) ?? 0, cancellation));
    }

    private static async Task<int> RunAsync(Invocation given, long from, CancellationToken cancellation)
    {
        await using var database = await LogOwner.OpenAsync(given.Configuration, cancellation);
        var log = new DroppedRanges(database, ArchiveSettings.TargetOf(given.Configuration), LogOwner.Actor);
        IReadOnlyList<ArchivedRange> ranges;
        await using (var connection = await database.OpenConnectionAsync(cancellation))
            ranges = [.. (await ArchivedRange.AllAsync(connection, cancellation)).Where(r => r.Last >= from).Reverse()];
        var events = 0L;
        await ProgressBar.ShowAsync("files", async progress =>
        {
            for (var i = 0; i < ranges.Count; i++)
            {
                progress.Report(new(i, ranges.Count));
                events += await log.RestoreAsync(ranges[i], cancellation);
            }
            progress.Report(new(ranges.Count, ranges.Count));
        });
        await DroppedEvents.TidyAsync(database, cancellation);
        Console.WriteLine($"{events:N0} events were put back.");
        return 0;
    }
}
