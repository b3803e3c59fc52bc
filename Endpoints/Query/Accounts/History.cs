using Npgsql;
using Signup.EventLog;

namespace Signup.Query.Accounts;

/// <summary>An account's events, from the log.</summary>
public static class History
{
    /// <summary>The stream's events in order, up to and including <paramref name="version"/>.</summary>
    public static Task<IReadOnlyList<LoggedEvent>> ReadAsync(LogReader log, NpgsqlConnection connection, Guid streamId, long version, CancellationToken cancellation) =>
        QueryAsync(log, connection, "e.stream_id = @streamId and e.version <= @version order by e.version", [new("streamId", streamId), new("version", version)], cancellation);

    /// <summary>The events that were appended last, the latest first. For looking at, not for following.</summary>
    public static Task<IReadOnlyList<LoggedEvent>> ReadLatestAsync(LogReader log, NpgsqlConnection connection, int limit, CancellationToken cancellation) =>
        QueryAsync(log, connection, "true order by e.seq_id desc limit @limit", [new("limit", limit)], cancellation);

    /// <summary>The events of these streams, stream by stream in order.</summary>
    /// <param name="condition">SQL: of events <c>e</c>, which.</param>
    public static Task<IReadOnlyList<LoggedEvent>> ReadStreamsAsync(LogReader log, NpgsqlConnection connection, Guid[] ids, string condition, CancellationToken cancellation) =>
        QueryAsync(log, connection, $"e.stream_id = any(@ids) and {condition} order by e.stream_id, e.version", [new("ids", ids)], cancellation);

    private static async Task<IReadOnlyList<LoggedEvent>> QueryAsync(LogReader log, NpgsqlConnection connection, string where, NpgsqlParameter[] parameters, CancellationToken cancellation) =>
        await log.SelectAsync(connection, where, parameters, cancellation).ToListAsync(cancellation);

    /// <summary>The account as it was when its event number <paramref name="version"/> was the last; null where there was none.</summary>
    public static async Task<AccountDocument?> AtVersionAsync(LogReader log, NpgsqlConnection connection, Guid accountId, long version, CancellationToken cancellation)
    {
        var account = AccountDocument.Fold(await ReadAsync(log, connection, accountId, version, cancellation));
        return account?.Version == version ? account : null;
    }

    /// <summary>The account as the log showed it at a moment; null where there was none.</summary>
    public static async Task<AccountDocument?> AtMomentAsync(LogReader log, NpgsqlConnection connection, Guid accountId, DateTimeOffset moment, CancellationToken cancellation)
    {
        var events = await ReadAsync(log, connection, accountId, long.MaxValue, cancellation);
        // By version, not by time: a transaction's time is its beginning, so that of a later event can be the earlier one.
        var last = events.Where(e => e.At <= moment).Select(e => e.Version).DefaultIfEmpty().Max();
        return AccountDocument.Fold(events.Where(e => e.Version <= last));
    }
}
