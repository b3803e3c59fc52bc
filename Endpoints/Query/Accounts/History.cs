using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archive;

namespace Signup.Query.Accounts;

/// <summary>An account's events, from the log: its table, and for what has been dropped from there the archive. The table is always read first
/// (see <see cref="LogArchive"/>).</summary>
public static class History
{
    private sealed record Row(long Position, Guid StreamId, long Version, Guid EventId, string Type, string Data, DateTime At);

    /// <summary>The stream's events in order, up to and including <paramref name="version"/>.</summary>
    /// <param name="asStored">Whether events of older shapes come as they are stored: for copies of the log.</param>
    public static async Task<IReadOnlyList<LoggedEvent>> ReadAsync(NpgsqlConnection connection, Guid streamId, long version, CancellationToken cancellation, bool asStored = false)
    {
        var events = await QueryAsync(connection, "stream_id = @streamId and version <= @version order by version", new { streamId, version }, cancellation, asStored);
        return events is [{ Version: 1 }, ..] ? events : [.. (await WithDroppedAsync(connection, [streamId], events, cancellation, asStored)).Where(e => e.Version <= version)];
    }

    /// <summary>The events that were appended last, the latest first. For looking at, not for following.</summary>
    public static async Task<IReadOnlyList<LoggedEvent>> ReadLatestAsync(NpgsqlConnection connection, int limit, CancellationToken cancellation)
    {
        var events = await QueryAsync(connection, "true order by seq_id desc limit @limit", new { limit }, cancellation);
        var dropped = await LogArchive.DroppedAsync(connection, cancellation);
        if (dropped == 0 || (events.Count == limit && events[^1].Position > dropped)) return events;
        var behind = events.Where(e => e.Position > dropped).ToList();
        return [.. behind, .. (await LogArchive.ReadLatestAsync(connection, limit - behind.Count, cancellation)).Select(e => e.ToLogged(asStored: false))];
    }

    /// <summary>Events in a range of positions that is known to be final; elsewhere only <see cref="LogReader"/> reads by position without skipping.
    /// Empty only where there are none.</summary>
    public static async Task<IReadOnlyList<LoggedEvent>> ReadRangeAsync(NpgsqlConnection connection, long after, long upTo, int limit, CancellationToken cancellation)
    {
        var events = await QueryAsync(connection, "seq_id > @after and seq_id <= @upTo order by seq_id limit @limit", new { after, upTo, limit }, cancellation);
        if (after >= await LogArchive.DroppedAsync(connection, cancellation)) return events;
        return [.. (await LogArchive.ReadAsync(connection, after, limit, cancellation)).Where(e => e.Position <= upTo).Select(e => e.ToLogged(asStored: false))];
    }

    /// <summary>All events of these streams up to a position, stream by stream in order.</summary>
    public static async Task<IReadOnlyList<LoggedEvent>> ReadStreamsAsync(NpgsqlConnection connection, Guid[] ids, long upTo, CancellationToken cancellation)
    {
        var events = await QueryAsync(connection, "stream_id = any(@ids) and seq_id <= @upTo order by stream_id, version", new { ids, upTo }, cancellation);
        return [.. (await WithDroppedAsync(connection, ids, events, cancellation)).Where(e => e.Position <= upTo)];
    }

    /// <summary>Adds what the archive has of these streams, whose events in the table were read before.</summary>
    private static async Task<IReadOnlyList<LoggedEvent>> WithDroppedAsync(NpgsqlConnection connection, Guid[] ids, IReadOnlyList<LoggedEvent> inTable, CancellationToken cancellation, bool asStored = false)
    {
        var dropped = await LogArchive.ReadStreamsAsync(connection, ids, cancellation);
        return dropped.Count == 0 ? inTable
            : [.. inTable.Concat(dropped.Select(e => e.ToLogged(asStored))).DistinctBy(e => e.Position).OrderBy(e => e.StreamId).ThenBy(e => e.Version)];
    }

    private static async Task<IReadOnlyList<LoggedEvent>> QueryAsync(NpgsqlConnection connection, string where, object parameters, CancellationToken cancellation, bool asStored = false)
    {
        var rows = await connection.QueryAsync<Row>(new CommandDefinition($"""
            select seq_id as position, stream_id as streamid, version, id as eventid, type, data::text as data, timestamp as at
            from {LogStore.Schema}.mt_events where {where}
            """, parameters, cancellationToken: cancellation));
        return [.. rows.Select(r => new LoggedEvent(r.Position, r.StreamId, r.Version, r.EventId, r.Type, asStored ? r.Data : Upcasting.Apply(r.Type, r.Data), r.At))];
    }

    /// <summary>The account as it was when its event number <paramref name="version"/> was the last; null where there was none.</summary>
    public static async Task<AccountDocument?> AtVersionAsync(NpgsqlConnection connection, Guid accountId, long version, CancellationToken cancellation)
    {
        var account = AccountDocument.Fold(await ReadAsync(connection, accountId, version, cancellation));
        return account?.Version == version ? account : null;
    }

    /// <summary>The account as the log showed it at a moment; null where there was none.</summary>
    public static async Task<AccountDocument?> AtMomentAsync(NpgsqlConnection connection, Guid accountId, DateTimeOffset moment, CancellationToken cancellation)
    {
        var events = await ReadAsync(connection, accountId, long.MaxValue, cancellation);
        // By version, not by time: a transaction's time is its beginning, so that of a later event can be the earlier one.
        var last = events.Where(e => e.At <= moment).Select(e => e.Version).DefaultIfEmpty().Max();
        return AccountDocument.Fold(events.Where(e => e.Version <= last));
    }
}
