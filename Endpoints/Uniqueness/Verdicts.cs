using Marten;
using Npgsql;
using Signup.EventLog;
using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>What became of a proposal, for whoever has missed the answer: a "yes" is in the log, a "no" is kept for <c>Uniqueness:KeepRejections</c>.</summary>
public sealed class Verdicts(NpgsqlDataSource database, IDocumentStore store)
{
    /// <returns>Null: it is not decided, or nobody has proposed it.</returns>
    public async Task<Verdict?> FindAsync(Guid streamId, Guid eventId, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"""
            select 'Accepted', version, seq_id, null from {LogStore.Schema}.mt_events where stream_id = $1 and id = $2
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
        await using var session = store.LightweightSession();
        Keep(session, no);
        await session.SaveChangesAsync();
    }

    /// <summary>Keeps a "no" when the session is saved.</summary>
    public static void Keep(IDocumentSession session, Verdict no) =>
        session.QueueSqlCommand("insert into uniqueness.rejections (stream_id, event_id, name, outcome) values (?, ?, ?, ?) on conflict do nothing",
            no.StreamId, no.EventId, no.Constraint ?? "", no.Outcome.ToString());
}
