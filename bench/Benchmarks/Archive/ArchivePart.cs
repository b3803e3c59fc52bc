using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Signup.Archive;
using Signup.Bench.Rebuild;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.Tests.Fixture;

namespace Signup.Bench.Archive;

/// <summary>Archives the log that the rebuild is measured with, and reads the archive. Each is a process of its own, so that CPU time and memory can be told apart.</summary>
internal static class ArchivePart
{
    private const string Part = "archive", Write = "write", Read = "read";

    /// <summary>What <c>Archive:PositionsPerFile</c> is by itself.</summary>
    private const int PositionsPerFile = 100_000;

    public static async Task RunAsync(Figures figures, Options options)
    {
        // Whole files.
        var events = Math.Max(1, options.Scaled(1_000_000) / PositionsPerFile) * PositionsPerFile;
        var parts = await Parts.CreateAsync("archive");
        var (database, directory) = (parts.Postgres, Path.Combine(parts.Directory, "archive"));
        await RebuildPart.SeedAsync(database, events);
        foreach (var what in new[] { Write, Read })
        {
            var (seconds, cpu, megabytes) = await RunAsync(what, database, directory);
            figures.AtLeast(Part, $"{what}, events a second", events / seconds, 100_000);
            figures.Add(Part, $"{what}, CPU an event, without the database's", cpu / events * 1e6, "µs");
            figures.Add(Part, $"{what}, most memory", megabytes, "MB");
        }
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        await using var size = new NpgsqlCommand("select pg_total_relation_size('log.mt_events')", connection);
        var (table, files) = ((long)(await size.ExecuteScalarAsync())! / (double)events, Directory.GetFiles(directory).Sum(f => new FileInfo(f).Length) / (double)events);
        figures.Add(Part, "bytes an event, table with its indexes", table);
        figures.Add(Part, "bytes an event, archive", files);
        figures.Add(Part, "bytes, archive ÷ table", files / table);
    }

    /// <summary>The process itself.</summary>
    /// <param name="args">What to do, the connection string, and the directory.</param>
    public static async Task<int> RunOneAsync(string[] args)
    {
        await using var source = LogStore.Connect(args[1]);
        var directory = new ArchiveDirectory(new Uri(args[2]).AbsoluteUri);
        var watch = Stopwatch.StartNew();
        if (args[0] == Write)
        {
            var archiver = new Archiver(source, new LogReader(source), new ArchiveSettings(directory, PositionsPerFile));
            while (await archiver.NextAsync(CancellationToken.None) is not null)
            {
            }
        }
        else
        {
            await using var connection = await source.OpenConnectionAsync();
            foreach (var range in await ArchivedRange.AllAsync(connection, CancellationToken.None))
                await foreach (var group in directory.ReadAsync(range, CancellationToken.None)) GC.KeepAlive(group);
        }
        watch.Stop();
        using var self = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds} {self.TotalProcessorTime.TotalSeconds} {self.PeakWorkingSet64 / 1e6}"));
        return 0;
    }

    private static async Task<(double Seconds, double Cpu, double Megabytes)> RunAsync(string what, string database, string directory)
    {
        var (exitCode, output) = await Tests.Fixture.Command.RunAsync(new ProcessStartInfo("dotnet", [typeof(ArchivePart).Assembly.Location, "--archive", what, database, directory]), TimeSpan.FromMinutes(10));
        if (exitCode != 0) throw new InvalidOperationException($"{what} failed:\n{output}");
        var numbers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Split(' ').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToList();
        return (numbers[0], numbers[1], numbers[2]);
    }
}
