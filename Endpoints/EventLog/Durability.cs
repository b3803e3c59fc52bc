using Npgsql;

namespace Signup.EventLog;

/// <summary>A transaction is committed here, and perhaps nowhere else: the server has stopped waiting for its standby. What was decided is to be decided again, which finds it, or not.</summary>
public sealed class CommitInDoubtException() : NpgsqlException("The transaction is committed, but the database has stopped waiting for its standby: should this server be lost, so may be the transaction.", new TimeoutException());

/// <summary>
/// Where a database waits for a standby at each commit (<c>synchronous_standby_names</c>), what is acknowledged outlives the server. There are two ways past that, and here is what is done about them;
/// where nothing is waited for, they cost nothing.
/// </summary>
public static class Durability
{
    /// <summary>Commits what is going to be acknowledged.</summary>
    /// <exception cref="CommitInDoubtException">A commit that is cancelled, as by a client to whom it takes too long, ends well: nothing but a warning says that it was not waited for.
    /// https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION-HA</exception>
    public static Task CommitDurablyAsync(this NpgsqlTransaction transaction) => DurablyAsync(transaction.Connection!, () => transaction.CommitAsync());

    /// <summary>Where something has been read that is going to be acknowledged, and there is perhaps nothing to write: waits as if all that can be read had been written here. In a transaction it is its commit that
    /// waits. Transactions that were not waited for can be read, too, and so can those that were not yet when the server was started again.</summary>
    public static async Task AnswerForWhatIsReadAsync(NpgsqlConnection connection, CancellationToken cancellation = default)
    {
        await using var command = new NpgsqlCommand("select pg_logical_emit_message(true, 'signup', '') where current_setting('synchronous_standby_names') <> ''", connection);
        await DurablyAsync(connection, () => command.ExecuteNonQueryAsync(cancellation));
    }

    private static async Task DurablyAsync(NpgsqlConnection connection, Func<Task> commit)
    {
        var isInDoubt = false;
        connection.Notice += Hear;
        try
        {
            await commit();
        }
        finally
        {
            connection.Notice -= Hear;
        }
        if (isInDoubt) throw new CommitInDoubtException();

        // Its text is in the language of the server. https://github.com/postgres/postgres/blob/REL_17_0/src/backend/replication/syncrep.c
        void Hear(object sender, NpgsqlNoticeEventArgs notice) => isInDoubt |= notice.Notice.Routine == "SyncRepWaitForLSN";
    }
}
