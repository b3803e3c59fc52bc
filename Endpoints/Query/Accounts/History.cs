using Dapper;
using Npgsql;
using Signup.EventLog;

namespace Signup.Query.Accounts;

/// <summary>An account's events, from the log.</summary>
public static class History
{
    /// <summary>The stream's events in order, up to and including <paramref name="version"/>.</summary>
    public static Task<IReadOnlyList<LoggedEvent>> ReadAsync(NpgsqlConnection connection, Guid streamId, long version, CancellationToken cancellation) =>
        QueryAsync(connection, "stream_id = @streamId and version <= @version order by version", new { streamId, version }, cancellation);

    /// <summary>The events that were appended last, the latest first. For looking at, not for following.</summary>
    public static Task<IReadOnlyList<LoggedEvent>> ReadLatestAsync(NpgsqlConnection connection, int limit, CancellationToken cancellation) =>
        QueryAsync(connection, "true order by seq_id desc limit @limit", new { limit }, cancellation);

    /// <summary>Events in a range of positions that is known to be final; elsewhere only <see cref="LogReader"/> reads by position without skipping.</summary>
    public static Task<IReadOnlyList<LoggedEvent>> ReadRangeAsync(NpgsqlConnection connection, long after, long upTo, int limit, CancellationToken cancellation) =>
        QueryAsync(connection, "seq_id > @after and seq_id <= @upTo order by seq_id limit @limit", new { after, upTo, limit }, cancellation);

    /// <summary>All events of these streams up to a position, stream by stream in order.</summary>
    public static Task<IReadOnlyList<LoggedEvent>> ReadStreamsAsync(NpgsqlConnection connection, Guid[] ids, long upTo, CancellationToken cancellation) =>
        QueryAsync(connection, "stream_id = any(@ids) and seq_id <= @upTo order by stream_id, version", new { ids, upTo }, cancellation);

    private static async Task<IReadOnlyList<LoggedEvent>> QueryAsync(NpgsqlConnection connection, string where, object parameters, CancellationToken cancellation)
    {
        var events = new List<LoggedEvent>();
        await using var reader = await connection.ExecuteReaderAsync(new CommandDefinition($"select {StoredEvents.Columns} {StoredEvents.From} where {where}", parameters, cancellationToken: cancellation));
        while (await reader.ReadAsync(cancellation)) events.Add(StoredEvents.Read(reader));
        return events;
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
