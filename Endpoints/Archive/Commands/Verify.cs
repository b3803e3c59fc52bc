using System.Data;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.Hosting;

namespace Signup.Archive.Commands;

/// <summary>Says whether the archive is whole, while the system runs on.</summary>
internal static class Verify
{
    /// <summary>Of one file: who has lost it all need not be told so line by line.</summary>
    private const int MostDifferences = 10;

    public static readonly Command Command = new("verify", "", "Compares every file of the archive with its checksum, and its events with the log; 1 on any difference.", RunAsync);

    private static async Task<int> RunAsync(CommandLine line, CancellationToken cancellation)
    {
        var directory = ArchiveSettings.DirectoryOf(line.Configuration);
        await using var database = line.OpenDatabase();
        await LogStore.CreateAsync(database, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        using var progress = ProgressBar.OnConsole("files");
        var ranges = await ArchivedRange.AllAsync(connection, cancellation);
        var (problems, done, next) = (0, 0, 1L);
        foreach (var range in ranges)
        {
            progress.Report(done++, ranges.Count);
            if (range.First != next) Say($"positions {next} to {range.First - 1} are in no file, and those before and behind them are");
            next = range.Last + 1;
            await foreach (var problem in ProblemsAsync(connection, directory, range, cancellation)) Say(problem);
        }
        progress.Dispose();
        foreach (var other in directory.Others(ranges)) Console.WriteLine($"Note: {directory.PathOf(other)} is none of the archive's files. Whoever opens all files there by a pattern reads it, too: move it away.");
        Console.WriteLine($"{ranges.Sum(r => r.Events):N0} events in {ranges.Count:N0} {(ranges.Count == 1 ? "file" : "files")}, up to position {next - 1}. {(problems == 0 ? "No problem found." : $"Problems found: {problems}.")}");
        return problems == 0 ? 0 : 1;

        void Say(string problem)
        {
            if (problems++ == 0) progress.Dispose();
            Console.WriteLine(problem);
        }
    }

    private static async IAsyncEnumerable<string> ProblemsAsync(NpgsqlConnection connection, ArchiveDirectory directory, ArchivedRange range, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var manifest = directory.PathOf(ArchiveDirectory.ManifestOf(range.First));
        var (found, problem) = await TriedAsync(() => directory.ManifestAsync(range.First, cancellation));
        if (problem is not null) yield return problem;
        else if (found is null) yield return $"{manifest} is missing, the manifest of {range.File}. Put it back from a copy.";
        else if (found != range) yield return $"{manifest} is not what was written: it differs from what the log's database says of {range.File}. Put it back from a copy.";

        var count = 0;
        await using var differences = Comparison.WithLogAsync(connection, directory, range, cancellation).GetAsyncEnumerator(cancellation);
        while (true)
        {
            (var more, problem) = await TriedAsync(() => differences.MoveNextAsync().AsTask());
            if (problem is not null) yield return problem;
            if (!more) yield break;
            if (++count > MostDifferences)
            {
                yield return $"{directory.PathOf(range.File)}: and more";
                yield break;
            }
            yield return $"{directory.PathOf(range.File)}: {differences.Current}";
        }
    }

    /// <returns>The result, or what is wrong with the archive.</returns>
    private static async Task<(T? Result, string? Problem)> TriedAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return (await read(), null);
        }
        catch (ArchiveException e)
        {
            return (default, e.Message);
        }
    }
}
