using System.Globalization;
using Signup.EventLog.Archiving;
using Signup.Hosting.Commands;

namespace Signup.Archive.Commands;

/// <summary>Puts dropped ranges back into the log's table, the latest first, while the system runs on.</summary>
internal static class Restore
{
    public static readonly Command Command = new("restore", "[--from POSITION]", "Puts dropped events back into the log's table: all, or the ranges that reach to a position, or lie behind it.", RunAsync);

    private static async Task<int> RunAsync(CommandLine line, CancellationToken cancellation)
    {
        var from = line["from"] is not { } text ? 0
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : throw new UsageException("--from must be a position, such as 100001.");
        await using var database = await LogOwner.OpenAsync(line, cancellation);
        var log = new DroppedRanges(database, ArchiveSettings.TargetOf(line.Configuration), LogOwner.Actor);
        IReadOnlyList<ArchivedRange> ranges;
        await using (var connection = await database.OpenConnectionAsync(cancellation))
            ranges = [.. (await ArchivedRange.AllAsync(connection, cancellation)).Where(r => r.Last >= from).Reverse()];
        var events = 0L;
        using (var progress = ProgressBar.OnConsole("files"))
            for (var i = 0; i < ranges.Count; i++)
            {
                progress.Report(i, ranges.Count);
                events += await log.RestoreAsync(ranges[i], cancellation);
            }
        await DroppedEvents.TidyAsync(database, cancellation);
        Console.WriteLine($"{events:N0} events were put back.");
        return 0;
    }
}
