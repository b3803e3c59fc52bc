using System.Data;
using Dapper;
using Signup.EventLog.Archive;
using Signup.Hosting;

namespace Signup.Archive.Commands;

/// <summary>Says whether the archive is whole, while the system runs on.</summary>
internal static class Verify
{
    public static readonly Command Command = new("verify", "", "Compares every file with its checksum and its events with the log's table; 1 on any difference.", async (line, cancellation) =>
    {
        var settings = ArchiveSettings.From(line.Configuration);
        await using var database = line.OpenDatabase();
        using var progress = ProgressBar.OnConsole("files");
        await using var directory = await ArchiveDirectory.EnterAsync(database, settings.Directory, cancellation);
        var connection = directory.Connection;
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        await connection.ExecuteAsync(Verification.LongestPause);
        var segments = await Segment.FindAsync(connection, "true order by s.last", cancellation);
        var problems = 0;
        await foreach (var problem in new Verification(progress).RunAsync(connection, segments, cancellation))
        {
            if (problems++ == 0) progress.Dispose();
            Console.WriteLine(problem);
        }
        progress.Dispose();
        foreach (var stranger in Directory.EnumerateFiles(settings.Directory, "*.parquet").Select(Path.GetFileName).Except(segments.Select(s => s.File)).Order())
            Console.WriteLine($"Note: {stranger} belongs to no segment. An archiver that died has left it; nobody reads it.");
        Console.WriteLine($"Verified {segments.Count:N0} files with {segments.Sum(s => s.Count):N0} events. {(problems == 0 ? "No problem found." : $"Problems found: {problems}.")}");
        return problems == 0 ? 0 : 1;
    });
}
