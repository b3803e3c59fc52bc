using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archive;

namespace Signup.Archive;

/// <summary>Somebody's stay in the archive's directory: nobody else copies, verifies or drops meanwhile.</summary>
internal sealed class ArchiveDirectory : IAsyncDisposable
{
    /// <summary>Held by the session that also writes what was done: whoever has lost it cannot write.</summary>
    private const string Lock = "hashtextextended('signup.archive', 0)";

    private ArchiveDirectory(NpgsqlConnection connection) => Connection = connection;

    public NpgsqlConnection Connection { get; }

    /// <summary>Waits until no other archiver is at work on this log, and tells the database where the archive is. Should this process die, the
    /// database lets the next one in.</summary>
    /// <exception cref="ArchiveException">The directory lacks a file that belongs there, so it is not this log's archive.</exception>
    public static async Task<ArchiveDirectory> EnterAsync(NpgsqlDataSource database, string directory, CancellationToken cancellation)
    {
        var connection = await database.OpenConnectionAsync(cancellation);
        var entered = new ArchiveDirectory(connection);
        try
        {
            await connection.ExecuteAsync(new CommandDefinition($"select pg_advisory_lock({Lock})", commandTimeout: 0, cancellationToken: cancellation));
            var known = await connection.QuerySingleOrDefaultAsync<string>(new CommandDefinition($"select directory from {LogStore.Schema}.archive", cancellationToken: cancellation));
            if (known == directory) return entered;
            var segments = await Segment.FindAsync(connection, "true order by s.last", cancellation);
            if (segments.FirstOrDefault(s => !File.Exists(Path.Combine(directory, s.File))) is { } missing)
                throw new ArchiveException($"Archive__Directory is {directory}, which lacks {missing.File}. The archive was in {known}: set Archive__Directory to that, or move all its files first.");
            Directory.CreateDirectory(directory);
            await connection.ExecuteAsync(new CommandDefinition($"""
                insert into {LogStore.Schema}.archive (directory) values (@directory) on conflict (one) do update set directory = excluded.directory
                """, new { directory }, cancellationToken: cancellation));
            return entered;
        }
        catch
        {
            await entered.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            // The pool keeps the session, and with it the lock.
            await Connection.ExecuteAsync("select pg_advisory_unlock_all()");
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // The session is gone, and the lock with it.
        }
        await Connection.DisposeAsync();
    }
}
