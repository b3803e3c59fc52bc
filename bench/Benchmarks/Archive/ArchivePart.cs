using System.Diagnostics;
using System.Globalization;
using Signup.Archive;
using Signup.Bench.Rebuild;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.Tests.Fixture;

namespace Signup.Bench.Archive;

/// <summary>Archives the log that the rebuild is measured with, reads the archive, and drops what is in it from the log while people sign up; and rebuilds before that and after.
/// Each is a process of its own, so that CPU time and memory can be told apart.</summary>
internal static class ArchivePart
{
    private const string Part = "archive", Write = "write", Read = "read";

    /// <summary>What <c>Archive:PositionsPerFile</c> is by itself.</summary>
    private const int PositionsPerFile = 100_000;

    /// <summary>Who sign up while the log is dropped: fewer than make the processors busy.</summary>
    private const int Clients = 4;

    public static async Task RunAsync(Figures figures, Options options)
    {
        // Whole files.
        var events = Math.Max(1, options.Scaled(1_000_000) / PositionsPerFile) * PositionsPerFile;
        await using var system = await SignupSystem.CreateAsync("archive", new Dictionary<string, string> { ["PasswordHashing__MemoryKiB"] = "8", ["PasswordHashing__Passes"] = "1", ["ASPNETCORE_ENVIRONMENT"] = "Production", ["DOTNET_ENVIRONMENT"] = "Production" });
        var parts = system.Parts;
        var (database, directory) = (parts.Postgres, Path.Combine(parts.Directory, "archive"));
        await RebuildPart.SeedAsync(database, events);
        foreach (var what in new[] { Write, Read })
        {
            var (seconds, cpu, megabytes) = await RunAsync(what, database, directory);
            figures.AtLeast(Part, $"{what}, events a second", events / seconds, 100_000);
            figures.Add(Part, $"{what}, CPU an event, without the database's", cpu / events * 1e6, "µs");
            figures.Add(Part, $"{what}, most memory", megabytes, "MB");
        }
        var (table, files) = (await SizeAsync(system, "log.mt_events") / (double)events, Directory.GetFiles(directory).Sum(f => new FileInfo(f).Length) / (double)events);
        figures.Add(Part, "bytes an event, table with its indexes", table);
        figures.Add(Part, "bytes an event, archive", files);
        figures.Add(Part, "bytes, archive ÷ table", files / table);

        // The first has no read model to take the place of.
        await RebuildPart.RunAsync(database, directory);
        var (before, memory) = await RebuildPart.RunAsync(database, directory);
        await DropAsync(figures, system, events);
        figures.Add(Part, "bytes an event, what is left in the database of a dropped one", await SizeAsync(system, "log.dropped") / (double)events);
        var (through, memoryThrough) = await RebuildPart.RunAsync(database, directory);
        figures.Add(Part, "rebuild, all in the log, events a second", events / before);
        // Those who signed up are in it, too.
        figures.AtLeast(Part, "rebuild, events a second, through the seam ÷ all in the log", await CountAsync(system) / through / (events / before), 0.8);
        figures.Add(Part, "rebuild, most memory, through the seam − all in the log", memoryThrough - memory, "MB");
    }

    /// <summary>All of it is dropped by the command, while some sign up.</summary>
    private static async Task DropAsync(Figures figures, SignupSystem system, int events)
    {
        // The gateway is told where Query would be; nobody would read for sign-ups what is in the log.
        foreach (var name in new[] { "Query", "Uniqueness", "Accounts", "Gateway" })
        {
            var process = system.Add(name);
            if (name != "Query") await process.StartAsync();
        }
        using var load = SignUps.Signup.OpenOn(new Uri(system.GatewayUrl));
        for (var round = 0; round < 5; round++) await load.RunAsync(Clients, 2_000);
        var alone = await load.RunAsync(Clients, 4_000);
        var watch = Stopwatch.StartNew();
        var dropping = system.AnswerAsync("drop", "Archive", "drop", "--before", $"{events + 1}");
        var (meanwhile, ended) = (new List<SignUps.Answers>(), dropping.ContinueWith(_ => watch.Stop(), TaskScheduler.Default));
        while (!dropping.IsCompleted) meanwhile.Add(await load.RunAsync(Clients, 500));
        await ended;
        var (exitCode, output) = await dropping;
        if (exitCode != 0 || meanwhile.Exists(a => a.Other.Count > 0)) throw new InvalidOperationException($"drop ended with {exitCode}, or not everybody could sign up:\n{output}");
        figures.Add(Part, "drop, events a second, with the check of the files", events / watch.Elapsed.TotalSeconds);
        figures.Add(Part, "sign-ups, p99", alone.P99Ms, "ms");
        figures.Add(Part, "sign-ups while events are dropped, p99 of each 500, the median", meanwhile.Select(a => a.P99Ms).Order().ElementAt(meanwhile.Count / 2), "ms");
        figures.Add(Part, "sign-ups while events are dropped, p99 of each 500, the worst", meanwhile.Max(a => a.P99Ms), "ms");
        foreach (var name in new[] { "Gateway", "Accounts", "Uniqueness" }) await system[name].StopAsync();
    }

    private static Task<long> SizeAsync(SignupSystem system, string table) => ScalarAsync(system, $"select pg_total_relation_size('{table}')");

    private static Task<long> CountAsync(SignupSystem system) => ScalarAsync(system, "select count(*) from log.events");

    private static async Task<long> ScalarAsync(SignupSystem system, string sql)
    {
        await using var command = system.Database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The process itself.</summary>
    /// <param name="args">What to do, the connection string, and the directory.</param>
    public static async Task<int> RunOneAsync(string[] args)
    {
        await using var source = LogStore.Connect(args[1]);
        var directory = new ArchiveTarget(new Uri(args[2]).AbsoluteUri);
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
