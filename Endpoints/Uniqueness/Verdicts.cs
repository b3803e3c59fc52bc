using Npgsql;
using Signup.EventLog;
using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>What became of a proposal, for whoever has missed the answer: a "yes" is in the log, a "no" is kept for <c>Uniqueness:KeepRejections</c>.</summary>
public sealed class Verdicts(NpgsqlDataSource database)
{
    /// <returns>Null: it is not decided, or nobody has proposed it.</returns>
    public async Task<Verdict?> FindAsync(Guid streamId, Guid eventId, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"""
            select 'Accepted', version, seq_id, null from {LogStore.Events} where stream_id = $1 and id = $2
            union all
            select outcome, 0, 0, nullif(name, '') from uniqueness.rejections where stream_id = $1 and event_id = $2
            order by 3 desc limit 1 -- what was refused once may have been accepted later, at another version
            """);
        command.Parameters.AddWithValue(streamId);
        command.Parameters.AddWithValue(eventId);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        if (!await reader.ReadAsync(cancellation)) return null;
        return new Verdict(streamId, eventId, Enum.Parse<VerdictOutcome>(reader.GetString(0)), reader.GetInt64(1), reader.GetInt64(2), await reader.IsDBNullAsync(3, cancellation) ? null : reader.GetString(3));
    }

    /// <summary>Keeps a "no".</summary>
    public async Task KeepAsync(Verdict no)
    {
        await using var connection = await database.OpenConnectionAsync();
        await KeepAsync(connection, [no]);
    }

    /// <summary>Keeps each "no", in the connection's transaction.</summary>
    public static async Task KeepAsync(NpgsqlConnection connection, IReadOnlyList<Verdict> noes)
    {
        if (noes.Count == 0) return;
        await using var command = new NpgsqlCommand("""
            insert into uniqueness.rejections (stream_id, event_id, name, outcome)
            select * from unnest($1, $2, $3, $4) as n (stream_id, event_id, name, outcome) order by stream_id, event_id on conflict do nothing
            """, connection);
        Add(no => no.StreamId);
        Add(no => no.EventId);
        Add(no => no.Constraint ?? "");
        Add(no => no.Outcome.ToString());
        await command.ExecuteNonQueryAsync();

        void Add<T>(Func<Verdict, T> part) => command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = [.. noes.Select(part)] });
    }
}
