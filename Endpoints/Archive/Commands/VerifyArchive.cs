using System.CommandLine;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.Hosting.Commands;

namespace Signup.Archive.Commands;

/// <summary>Says whether the archive is whole, while the system runs on.</summary>
internal static class VerifyArchive
{
    /// <summary>Of one file: who has lost it all need not be told so line by line.</summary>
    private const int MostDifferences = 10;

    public static Command Define() => new Command("verify", "Compares every file of the archive with its checksum, and its events with the log. Exit code 1 on any difference.").Runs(RunAsync);

    private static async Task<int> RunAsync(Invocation given, CancellationToken cancellation)
    {
        var archive = ArchiveSettings.TargetOf(given.Configuration);
        await using var database = given.OpenDatabase();
        await LogStore.CreateAsync(database, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var ranges = await ArchivedRange.AllAsync(connection, cancellation);
        var (problems, next, dropped) = (new List<string>(), 1L, 0L);
        await ProgressBar.ShowAsync("files", async progress =>
        {
            for (var i = 0; i < ranges.Count; i++)
            {
                progress.Report(new(i, ranges.Count));
                await VerifyAsync(ranges[i]);
            }
            progress.Report(new(ranges.Count, ranges.Count));
        });
        foreach (var problem in problems) Console.WriteLine(problem);
        foreach (var other in await archive.OthersAsync(ranges, cancellation)) Console.WriteLine($"Note: {archive.PathOf(other)} is none of the archive's files. Whoever opens all files there by a pattern reads it, too: move it away.");
        Console.WriteLine($"{ranges.Sum(r => r.Events):N0} events in {ranges.Count:N0} {(ranges.Count == 1 ? "file" : "files")}, up to position {next - 1}{(dropped == 0 ? "" : $", {dropped:N0} of them dropped from the log")}. {(problems.Count == 0 ? "No problem found." : $"Problems found: {problems.Count}.")}");
        return problems.Count == 0 ? 0 : 1;

        async Task VerifyAsync(ArchivedRange range)
        {
            if (range.First != next) problems.Add($"positions {next} to {range.First - 1} are in no file, and those before and behind them are");
            next = range.Last + 1;
            await CompareAsync(connection, archive, range, problems.Add, cancellation);
            if ((await range.StateAsync(connection, cancellation)).IsDropped) dropped += range.Events;
        }
    }

    private static async Task CompareAsync(NpgsqlConnection connection, ArchiveTarget archive, ArchivedRange range, Action<string> say, CancellationToken cancellation)
    {
        var manifest = archive.PathOf(ArchiveTarget.ManifestOf(range));
        try
        {
            var found = await archive.ManifestAsync(range, cancellation);
            if (found is null) say($"{manifest} is missing, the manifest of {range.File}. Put it back from a copy.");
            else if (found != range) say($"{manifest} is not what was written: it differs from what the log's database says of {range.File}. Put it back from a copy.");
        }
        catch (ArchiveException e)
        {
            say(e.Message);
        }
        try
        {
            var count = 0;
            await foreach (var difference in Comparison.WithLogAsync(connection, archive, range, cancellation))
            {
                say($"{archive.PathOf(range.File)}: {(++count > MostDifferences ? "and more" : difference)}");
                if (count > MostDifferences) break;
            }
        }
        catch (ArchiveException e)
        {
            say(e.Message);
        }
    }
}
