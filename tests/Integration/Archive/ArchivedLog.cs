using System.Diagnostics;
using System.Globalization;
using Signup.Archive;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.EventLog.Archive;
using Signup.Tests.Fixture;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Archive;

/// <summary>A log of a test's own, and a directory for its archive.</summary>
public sealed class ArchivedLog : IAsyncDisposable
{
    /// <summary>Behind every event.</summary>
    public const string Later = "2100-01-01T00:00:00Z";

    private static readonly DateTimeOffset Moment = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);
    private readonly int _eventsPerSegment;

    private ArchivedLog(LogDatabase log, int eventsPerSegment) => (Log, _eventsPerSegment) = (log, eventsPerSegment);

    public LogDatabase Log { get; }
    public string Directory { get; } = Path.Combine(Parts.State, "systems", $"archive_{Guid.NewGuid():N}");

    public static async Task<ArchivedLog> CreateAsync(int eventsPerSegment = 7) => new(await LogDatabase.CreateAsync("archive"), eventsPerSegment);

    /// <summary>Accounts that live and accounts that ended, their events mixed, with gaps between and some events of an older shape.</summary>
    public async Task<(List<Guid> Living, List<Guid> Ended)> FillAsync(int accounts = 12)
    {
        var all = Enumerable.Range(0, accounts).Select(_ => Guid.NewGuid()).ToList();
        foreach (var (n, id) in all.Index())
        {
            if (n % 5 == 0) await RollBackOneAsync();
            if (n % 4 == 1) await AppendOldShapeAsync(id, n);
            else await Log.AppendAsync(id, LogDatabase.Created($"u{n}@example.org"));
        }
        foreach (var id in all) await Log.AppendAsync(id, new ActivationMailSent("activation", Moment), new ActivationMailSent("reminder-1", Moment));
        foreach (var (n, id) in all.Index())
        {
            if (n % 3 == 0) await Log.AppendAsync(id, new AccountExpired($"u{n}@example.org", Moment));
            if (n % 3 == 1) await Log.AppendAsync(id, new AccountActivated(Moment), new AccountDeleted($"u{n}@example.org", Moment));
        }
        return ([.. all.Where((_, n) => n % 3 == 2)], [.. all.Where((_, n) => n % 3 != 2)]);
    }

    public async Task RollBackOneAsync()
    {
        await using var connection = await Log.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await LogDatabase.AppendAsync(connection, Guid.NewGuid(), ("AccountActivated", "{}"));
    }

    private async Task AppendOldShapeAsync(Guid id, int n)
    {
        await using var connection = await Log.Database.OpenConnectionAsync();
        await LogDatabase.AppendAsync(connection, id, ("AccountCreated", $$"""{"email": "u{{n}}@example.org", "username": "Zoë", "createdAt": "2026-11-23T10:00:00+00:00", "passwordHash": "x"}"""));
    }

    /// <summary>An archiver in this process.</summary>
    public Archiver Archiver(LogReader? reader = null, TimeSpan? minimumAge = null, TimeProvider? time = null) => new(
        Log.Database, reader ?? new LogReader(Log.Database, asStored: true), new ArchiveSettings(Directory, _eventsPerSegment, minimumAge ?? TimeSpan.Zero), time ?? TimeProvider.System);

    /// <summary>Copies all there is, also into a file that is not full.</summary>
    public async Task<List<Segment>> CopyAllAsync() =>
        await Archiver().CopyAsync(DateTimeOffset.Parse(Later, CultureInfo.InvariantCulture), CancellationToken.None).ToListAsync();

    /// <summary>Copies all there is, and drops from the table what is safe, as an operator does.</summary>
    public async Task<string> CopyAndDropAsync()
    {
        await CopyAllAsync();
        var (exitCode, output) = await RunAsync("drop", "--until", Later);
        Assert.True(exitCode == 0, output);
        return output;
    }

    /// <summary>Runs one of Archive's commands, as <c>./run Archive command …</c> does.</summary>
    public Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) => RunInAsync(Directory, arguments);

    public async Task<(int ExitCode, string Output)> RunInAsync(string directory, params string[] arguments)
    {
        using var process = StartIn(directory, arguments);
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }

    public Process Start(params string[] arguments) => StartIn(Directory, arguments);

    private Process StartIn(string directory, string[] arguments)
    {
        var dll = Path.Combine(Parts.Root, "Endpoints", "Archive", "bin", Parts.Configuration, "net10.0", "Signup.Archive.dll");
        var start = new ProcessStartInfo("dotnet", [dll, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ConnectionStrings__Postgres"] = Log.ConnectionString;
        start.Environment["Archive__Directory"] = directory;
        start.Environment["Archive__EventsPerSegment"] = _eventsPerSegment.ToString(CultureInfo.InvariantCulture);
        start.Environment["Archive__MinimumAge"] = "0";
        return Process.Start(start)!;
    }

    public async Task<IReadOnlyList<Segment>> SegmentsAsync()
    {
        await using var connection = await Log.Database.OpenConnectionAsync();
        return await Segment.FindAsync(connection, "true order by s.last", CancellationToken.None);
    }

    /// <summary>The log's table as text, a line an event.</summary>
    public Task<string> TableAsync() => Log.ScalarAsync<string>("select coalesce(string_agg(e::text, E'\\n' order by seq_id), '') from log.mt_events e");

    public async ValueTask DisposeAsync()
    {
        await Log.DisposeAsync();
        if (System.IO.Directory.Exists(Directory)) System.IO.Directory.Delete(Directory, recursive: true);
    }
}
