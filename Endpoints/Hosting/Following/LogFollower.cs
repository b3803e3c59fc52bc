using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.Hosting.Handling;

namespace Signup.Hosting.Following;

/// <summary>How far a projection is behind the log.</summary>
/// <param name="Events">Positions between checkpoint and end of the log: at most this many events, since positions have gaps.</param>
/// <param name="Seconds">Age of the oldest event that is not in the projection.</param>
/// <param name="IsOthers">A newer version of the code keeps the projection; this process must not.</param>
public sealed record Lag(long Position, long Events, double Seconds, bool IsOthers = false);

/// <summary>Where a projection stands, and why.</summary>
/// <param name="Position">Of the event.</param>
internal sealed record Obstacle(long Position, string Why);

/// <summary>
/// Keeps a projection at the end of the log: the one piece of code that fills a new consumer with history and keeps it current.
/// <para>
/// It follows positions, from the projection's own checkpoint (0 for a new one), and moves that checkpoint in the transaction that
/// takes the events in. So there is no seam between history and present, nothing is taken twice and nothing is left out, whatever dies
/// when. Messages only end its rest early: their order does not matter, and one that never arrives costs one rest (half a second) and no data.
/// </para>
/// Any number of processes may follow for the same projection: the checkpoint's row lock lets one in at a time, or one for each partition.
/// </summary>
/// <param name="rest">How long a lost message may go unnoticed; half a second where none is given.</param>
public sealed partial class LogFollower<TProjection>(
    TProjection projection, NpgsqlDataSource database, LogReader log, WakeUp wakeUp, ILogger<LogFollower<TProjection>> logger, TimeSpan? rest = null)
    : BackgroundService where TProjection : IProjection
{
    private const int BatchSize = 1_000;

    private readonly TimeSpan _rest = rest ?? TimeSpan.FromMilliseconds(500);

    /// <summary>Before looking again where something is known to be there: behind a gap that a running transaction may still fill, or while another process is at it.</summary>
    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5), MeasureEvery = TimeSpan.FromMilliseconds(500);

    private volatile Obstacle? _obstacle;

    /// <summary>How many events to take at once. Less where one of them cannot be taken in: those before it are, and it shows which it is.</summary>
    private int _atOnce = BatchSize;

    private enum Found { Many, Few, Nothing, Gap, Busy }

    /// <inheritdoc cref="LogReader.Replica"/>
    internal LogReplica? Replica => log.Replica;

    /// <summary>As of the last look, at most about a second old while the database answers.</summary>
    public Lag? Lag { get; private set; }

    /// <summary>The event that cannot be taken in; null where there is none, or another process has gone past it.</summary>
    internal Obstacle? Obstacle => _obstacle is { } obstacle && obstacle.Position > (Lag?.Position ?? 0) ? obstacle : null;

    public async Task<Lag> MeasureAsync(CancellationToken cancellation)
    {
        // Who must not write is not behind.
        await using var command = database.CreateCommand($"""
            select coalesce(position, last), coalesce(greatest(0, last - position), 0),
                   coalesce((select extract(epoch from clock_timestamp() - timestamp) from {LogStore.Events}
                             where seq_id > position and isfinite(timestamp) order by seq_id limit 1), 0)::double precision, position is null -- Marten notes an append that failed without a time
            from (select coalesce(max(seq_id), 0) as last from {LogStore.Events}) log cross join lateral (select ({projection.Checkpoint.Lowest}) as position) checkpoint
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return Lag = new Lag(reader.GetInt64(0), reader.GetInt64(1), Math.Max(0, reader.GetDouble(2)), reader.GetBoolean(3));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var ensured = false;
        var pause = TimeSpan.Zero;
        var (shortRest, signalled) = (ShortestRest, false);
        var (measured, isCurrent) = (0L, false);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!ensured) await projection.EnsureAsync(stoppingToken);
                ensured = true;
                if (pause > TimeSpan.Zero) await MeasureAsync(stoppingToken);
                var (found, partition) = await TakeAsync(stoppingToken);
                if (pause > TimeSpan.Zero) Recovered(logger, projection.Name);
                pause = TimeSpan.Zero;
                if (found == Found.Nothing && partition == Partition.All) isCurrent = true;
                if (found != Found.Nothing) isCurrent = false;
                if (!isCurrent && Stopwatch.GetElapsedTime(measured) > MeasureEvery)
                {
                    await MeasureAsync(stoppingToken);
                    (measured, isCurrent) = (Stopwatch.GetTimestamp(), found == Found.Nothing);
                }
                if (found == Found.Few) await Task.Delay(WakeUp.Linger / partition.Count, stoppingToken);
                if (found is Found.Many or Found.Few) continue;
                // A signal may be of something that was committed after the other process had looked.
                var soon = found == Found.Gap || (found == Found.Busy && signalled);
                signalled = await wakeUp.WaitAsync(soon ? shortRest : _rest, stoppingToken) || (found == Found.Busy && signalled);
                shortRest = !soon ? ShortestRest : shortRest < _rest ? shortRest * 2 : _rest;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (EventsNotTakenException e) when (e.Events.Count > 1)
            {
                _atOnce = e.Events.Count / 2;
            }
            catch (Exception e)
            {
                // Whatever it is, the checkpoint has not moved: trying again is safe, and giving up would freeze the projection.
                if (e is EventsNotTakenException { Events: [var stuck] }) _obstacle = new(stuck.Position, e.Message);
                // The next one cannot even be read.
                if (e is ArchiveException or InvalidDataException) _obstacle = new((Lag?.Position ?? 0) + 1, e.Message);
                if (pause == TimeSpan.Zero) Failing(logger, e, projection.Name);
                pause = pause == TimeSpan.Zero ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
                await Task.Delay(pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<(Found, Partition)> TakeAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await log.FollowAsync(connection, projection.Checkpoint, _atOnce, cancellation) is not { } next) return (Found.Busy, Partition.All);
        if (next.UpTo == next.After)
        {
            if (next.Waits) return (Found.Gap, next.Partition);
            if (next.Partition == Partition.All) Lag = new Lag(next.After, 0, 0);
            return (Found.Nothing, next.Partition);
        }
        try
        {
            await projection.ApplyAsync(connection, next, cancellation);
        }
        catch (Exception e) when (next.Events.Count > 0 && !Recoverability.IsTransient(e))
        {
            throw new EventsNotTakenException(next.Events, e);
        }
        await transaction.CommitAsync(cancellation);
        projection.Applied();
        _atOnce = Math.Min(_atOnce * 2, BatchSize);
        return (next.IsFull ? Found.Many : Found.Few, next.Partition);
    }

    /// <param name="events">One of them is why.</param>
    private sealed class EventsNotTakenException(IReadOnlyList<LoggedEvent> events, Exception why)
        : Exception($"The {events[0].Type} at position {events[0].Position}, of {events[0].StreamId}, cannot be taken in: {why.Message}", why)
    {
        public IReadOnlyList<LoggedEvent> Events => events;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Projection} cannot follow the log, trying again until it can")]
    private static partial void Failing(ILogger logger, Exception e, string projection);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Projection} follows the log again")]
    private static partial void Recovered(ILogger logger, string projection);
}
