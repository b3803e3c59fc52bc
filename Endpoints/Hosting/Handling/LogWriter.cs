using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Following;

namespace Signup.Hosting.Handling;

/// <summary>Facts to append to one stream, as a handler returns them.</summary>
/// <param name="ExpectedVersion">The version the decision was based on.</param>
public sealed record Append(Guid StreamId, long ExpectedVersion, params IReadOnlyList<object> Events);

/// <summary>Appends facts. That is all: whoever is to hear of them hears it from the log, see <see cref="EventPublisher"/>.</summary>
public sealed class LogWriter(NpgsqlDataSource database, EventPublisher publisher)
{
    /// <exception cref="StreamMovedOnException">The stream has moved on: load and decide again.</exception>
    /// <exception cref="CommitInDoubtException">Likewise.</exception>
    public async Task AppendAsync(Append? append)
    {
        if (append is null || append.Events.Count == 0) return;
        var cause = Cause.Capture();
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Appending.AppendAsync(connection, [.. append.Events.Select((e, i) => NewEvent.Of(append.StreamId, append.ExpectedVersion + i, e, cause))]);
        await transaction.CommitDurablyAsync();
        publisher.WakeUp.Signal();
    }

    /// <summary>Returns once all that could be read of the log when this was called will outlive the database's server: for answers that append nothing.</summary>
    public async Task AnswerForWhatIsReadAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await Durability.AnswerForWhatIsReadAsync(connection, cancellation);
    }
}
