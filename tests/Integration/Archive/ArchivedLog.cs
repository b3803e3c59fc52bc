using Npgsql;
using Signup.Archive;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Archive;

/// <summary>A log, and its archive.</summary>
internal sealed class ArchivedLog : IAsyncDisposable
{
    private ArchivedLog(Parts parts, ArchiveFiles? files = null)
    {
        (Database, Files) = (LogStore.Connect(parts.Postgres), files ?? new DirectoryFiles(Path.Combine(parts.Directory, "archive")));
        Target = new ArchiveTarget(Files.Target);
    }

    public NpgsqlDataSource Database { get; }
    public ArchiveTarget Target { get; }
    public ArchiveFiles Files { get; }

    /// <summary>In a database of its own.</summary>
    /// <param name="files">In the system's own directory where none is given.</param>
    public static async Task<ArchivedLog> CreateAsync(string name, ArchiveFiles? files = null) => new(await Parts.CreateAsync(name, withLog: true), files);

    /// <summary>That of a system that runs.</summary>
    public static ArchivedLog Of(SignupSystem system, ArchiveFiles? files = null) => new(system.Parts, files);

    public static ArchivedLog Of(LogDatabase log) => new(log.Parts);

    /// <summary>An archiver that knows nothing of any other.</summary>
    public Archiver Archiver(long positionsPerFile = 10) => new(Database, new LogReader(Database), new ArchiveSettings(Target, positionsPerFile));

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Archives all ranges that are complete.</summary>
    public async Task ArchiveAsync(Archiver? archiver = null)
    {
        archiver ??= Archiver();
        while (await archiver.NextAsync(Wait.Token) is not null)
        {
        }
    }

    /// <summary>Appends so many events, each to a stream of its own.</summary>
    public Task AppendAsync(int count) =>
        AppendAsync([.. Enumerable.Range(0, count).Select(n => NewEvent.Of(Guid.NewGuid(), 0, LogDatabase.Created($"somebody{n}@example.org"), n % 2 == 0 ? Cause.None : new Cause("m", "c", "c", null)))]);

    public async Task AppendAsync(IReadOnlyList<NewEvent> events)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Appending.AppendAsync(connection, events);
        await transaction.CommitAsync();
    }

    /// <summary>A transaction that has appended so many events, and is open.</summary>
    public async Task<NpgsqlConnection> BegunAsync(int count)
    {
        var connection = await Database.OpenConnectionAsync();
        await using (var begin = new NpgsqlCommand("begin", connection)) await begin.ExecuteNonQueryAsync();
        await Appending.AppendAsync(connection, [.. Enumerable.Range(0, count).Select(_ => NewEvent.Of(Guid.NewGuid(), 0, LogDatabase.Created("late@example.org"), Cause.None))]);
        return connection;
    }

    public static async Task CommitAsync(NpgsqlConnection begun)
    {
        await using (var commit = new NpgsqlCommand("commit", begun)) await commit.ExecuteNonQueryAsync();
        await begun.DisposeAsync();
    }

    /// <summary>A reader that knows where the archive is, and has read nothing yet.</summary>
    public LogReader Log(bool asStored = false) => new(Database, new LogArchive(Database, new ArchiveTarget(Files.Target)), asStored);

    public DroppedRanges Dropped => new(Database, Target, Actors.Operator("ada"));

    /// <summary>Drops all archived ranges, or some.</summary>
    public async Task DropAsync(Func<ArchivedRange, bool>? which = null)
    {
        foreach (var range in await RangesAsync()) if (which?.Invoke(range) ?? true) await Dropped.DropAsync(range, Wait.Token);
    }

    /// <summary>Puts back all that was dropped, or some.</summary>
    public async Task RestoreAsync(Func<ArchivedRange, bool>? which = null)
    {
        foreach (var range in await RangesAsync()) if (which?.Invoke(range) ?? true) await Dropped.RestoreAsync(range, Wait.Token);
    }

    public async Task<IReadOnlyList<ArchivedRange>> RangesAsync()
    {
        await using var connection = await Database.OpenConnectionAsync();
        return await ArchivedRange.AllAsync(connection, Wait.Token);
    }

    /// <summary>All that the archive holds, by the files alone.</summary>
    public async Task<List<StoredEvent>> ReadAsync()
    {
        var events = new List<StoredEvent>();
        foreach (var range in await RangesAsync())
        {
            Assert.Equal(range, await Target.ManifestAsync(range, Wait.Token));
            await foreach (var group in Target.ReadAsync(range, Wait.Token)) events.AddRange(group);
        }
        return events;
    }

    /// <summary>What the log has up to a position.</summary>
    public async Task<List<StoredEvent>> StoredAsync(long last)
    {
        await using var connection = await Database.OpenConnectionAsync();
        return await StoredEvent.ReadAsync(connection, 1, last, Wait.Token).ToListAsync();
    }

    /// <summary>The archive is whole: ranges follow each other without a gap, two files for each and no others, and in them just what the log has there.</summary>
    public async Task AssertWholeAsync()
    {
        var ranges = await RangesAsync();
        var next = 1L;
        foreach (var range in ranges)
        {
            Assert.Equal(next, range.First);
            next = range.Last + 1;
        }
        Assert.Equal(ranges.SelectMany(r => new[] { r.File, ArchiveTarget.ManifestOf(r) }).Order(StringComparer.Ordinal), (await Files.ListAsync()).Keys.Order(StringComparer.Ordinal));
        Assert.Equal(await StoredAsync(next - 1), await ReadAsync());
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
