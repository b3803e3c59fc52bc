using System.Net;
using System.Net.Sockets;
using Npgsql;
using RabbitMQ.Client.Exceptions;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Handling;

/// <summary>What happens to a message whose handling fails: faults that pass are retried, bugs are not.</summary>
public static class Recoverability
{
    private static readonly TimeSpan[] Pauses = [.. new[] { 0.1, 0.5, 2, 5 }.Select(TimeSpan.FromSeconds)];

    /// <summary>Then it rests in the hands of its process, unacknowledged, however long it takes. Others go past it, so that one that never succeeds holds up nobody.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    private const int MostConflicts = 8;

    /// <summary>
    /// States of PostgreSQL that pass by themselves, or once somebody has mended the server, and that have nothing to do with what a message says: whole classes
    /// (two characters), or single ones. https://www.postgresql.org/docs/current/errcodes-appendix.html
    /// </summary>
    public static readonly IReadOnlyList<string> PassingStates =
    [
        "08", // connection exception
        "25006", // read_only_sql_transaction: the server is a standby, before or after a failover
        "25P03", // idle_in_transaction_session_timeout: this process has frozen inside a transaction
        "26000", // invalid_sql_statement_name: the connection's prepared statements are gone; no connection is used for long (LogStore.Connect), and there are others
        "28", // invalid authorization: a password that is being changed
        "3D000", // invalid_catalog_name: the database is being restored
        "40", // transaction rollback: deadlocks and the like
        "53", // insufficient resources: disk, memory, connections
        "55", // object not in prerequisite state: locked, or in use
        "57", // operator intervention: shutdown, start, cancelled statements
        "58", // system error: the server's disk, for example
        "0A000", // feature_not_supported: what PostgreSQL says of a prepared statement whose table has another column now
    ];

    /// <param name="Pause">Before the next attempt. Not the same for all: many fail at once when the database is away.</param>
    /// <param name="IsRest">Retrying at short intervals has not helped.</param>
    public readonly record struct Retry(TimeSpan Pause, bool IsRest);

    /// <summary>Null: a bug or a poisoned message, and repeating it would not help. To the queue <c>error</c>, at once.</summary>
    /// <param name="attempt">Which one failed, from 1.</param>
    public static Retry? RetryAfter(Exception fault, int attempt)
    {
        var chance = Random.Shared.NextDouble();
        // Somebody else appended first: load and decide again, at once.
        if (HasMovedOn(fault)) return attempt <= MostConflicts ? new(TimeSpan.FromMilliseconds(10 * attempt) * chance, IsRest: false) : null;
        // The database or the broker is away, restarting, or too busy.
        if (IsTransient(fault)) return attempt <= Pauses.Length ? new(Pauses[attempt - 1] * chance, IsRest: false) : new(Rest * (0.8 + (0.4 * chance)), IsRest: true);
        return null;
    }

    /// <summary>Whether somebody else was faster between the look at something and the write: began or extended the stream, or made the row.</summary>
    public static bool HasMovedOn(Exception e) => e is StreamMovedOnException or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } || (e.InnerException is { } inner && HasMovedOn(inner));

    /// <summary>Whether the database could not be asked at all, as opposed to having answered with an error: whoever asks next will fare no better.</summary>
    public static bool IsUnreachable(Exception e) => e is NpgsqlException and not PostgresException || (e.InnerException is { } inner && e is not PostgresException && IsUnreachable(inner));

    /// <summary>Whether the fault lies in the way to the database or the broker, or in them, so that the same message may succeed later.</summary>
    public static bool IsTransient(Exception e) => e switch
    {
        PostgresException postgres => PassingStates.Any(s => postgres.SqlState.StartsWith(s, StringComparison.Ordinal)),
        // Of several hosts none could be connected to, or none is the primary at present.
        NpgsqlException { InnerException: AggregateException hosts } => IsTransient(hosts),
        NpgsqlException { InnerException: null, Message: "No suitable host was found." } => true,
        NpgsqlException npgsql => npgsql.IsTransient || npgsql.InnerException is IOException or TimeoutException or SocketException,
        // The client's own slip where a statement of a batch has met a plan that went stale; the next attempt prepares it again.
        NullReferenceException { Source: "Npgsql" } => true,
        // A channel that was lost is closed while another handler still publishes on it: the client's word for that, or its semaphore's.
        ObjectDisposedException { ObjectName: var closed } => closed.StartsWith("RabbitMQ.", StringComparison.Ordinal) || closed == typeof(SemaphoreSlim).FullName,
        // The last is the client's.
        TransientException or RabbitMQClientException or BrokerUnavailableException or SocketException or OperationCanceledException => true,
        // Another process is away, or cannot answer now. What it does not understand it will not understand later.
        HttpRequestException { StatusCode: not HttpStatusCode.BadRequest } => true,
        IOException { InnerException: SocketException } => true,
        AggregateException many => many.InnerExceptions.All(IsTransient),
        { InnerException: { } inner } => IsTransient(inner),
        _ => false,
    };
}

/// <summary>Not now, but the same message may succeed later.</summary>
public abstract class TransientException(string message) : Exception(message);
