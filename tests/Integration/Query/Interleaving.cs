using FsCheck;
using FsCheck.Fluent;
using Npgsql;
using Signup.EventLog;

namespace Signup.Tests.Integration.Query;

public enum Step { Begin, Append, Commit, Rollback, Read }

/// <summary>Writers take positions, and commit late, out of order, or not at all; a reader looks in between.</summary>
internal static class Interleaving
{
    private const int Writers = 4;

    /// <summary>However it goes, the reader skips nothing.</summary>
    public static Property Any(LogDatabase log, Func<LogReader> reader)
    {
        var step = from what in Gen.Frequency((3, Gen.Constant(Step.Begin)), (6, Gen.Constant(Step.Append)), (3, Gen.Constant(Step.Commit)), (1, Gen.Constant(Step.Rollback)), (4, Gen.Constant(Step.Read)))
                   from writer in Gen.Choose(0, Writers - 1)
                   select (what, writer);
        return Prop.ForAll(step.ListOf().ToArbitrary(), steps => PlayAsync(log, reader(), [.. steps]).GetAwaiter().GetResult());
    }

    /// <summary>Two readers: one that looks when told, and one that shares its memory and looks from the beginning each time.</summary>
    public static async Task PlayAsync(LogDatabase log, LogReader reader, params (Step What, int Writer)[] steps)
    {
        var writers = new Writer?[Writers];
        var committed = new List<long>();
        var start = await reader.LastPositionAsync(Wait.Token);
        var read = new List<long>();
        try
        {
            foreach (var (what, i) in steps)
            {
                switch (what)
                {
                    case Step.Begin:
                        writers[i] ??= await Writer.BeginAsync(log.Database);
                        break;
                    case Step.Append when writers[i] is { } w:
                        await w.AppendAsync();
                        break;
                    case Step.Commit when writers[i] is { } w:
                        await w.CommitAsync();
                        committed.AddRange(w.Positions);
                        writers[i] = null;
                        break;
                    case Step.Rollback when writers[i] is { } w:
                        await w.DisposeAsync();
                        writers[i] = null;
                        break;
                    case Step.Read:
                        read.AddRange((await ReadAsync(reader, read.Count > 0 ? read[^1] : start)).Select(e => e.Position));
                        // What was handed out must be all there is up to there, at any time.
                        var again = (await ReadAsync(reader, start)).Select(e => e.Position).ToList();
                        Assert.Equal(committed.Where(p => again.Count > 0 && p <= again[^1]).Order(), again);
                        break;
                }
            }
        }
        finally
        {
            foreach (var w in writers) if (w is not null) await w.DisposeAsync();
        }
        read.AddRange((await log.ReadAllAsync(reader, read.Count > 0 ? read[^1] : start)).Select(e => e.Position));
        Assert.Equal(committed.Order(), read);
    }

    public static Task<IReadOnlyList<LoggedEvent>> ReadAsync(LogReader reader, long after) => reader.ReadAsync(after, 1_000, Wait.Token);
}

/// <summary>A transaction that appends.</summary>
internal sealed class Writer : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    public List<long> Positions { get; } = [];

    private Writer(NpgsqlConnection connection) => _connection = connection;

    public static async Task<Writer> BeginAsync(NpgsqlDataSource database)
    {
        var connection = await database.OpenConnectionAsync();
        await connection.BeginTransactionAsync();
        return new Writer(connection);
    }

    public async Task<long> AppendAsync(Guid? stream = null)
    {
        Positions.AddRange(await LogDatabase.AppendAsync(_connection, stream ?? Guid.NewGuid(), ("AccountActivated", """{"activatedAt":"2026-11-23T10:00:00Z"}""")));
        return Positions[^1];
    }

    public async Task CommitAsync()
    {
        await using (var command = new NpgsqlCommand("commit", _connection)) await command.ExecuteNonQueryAsync();
        await _connection.DisposeAsync();
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
