using JasperFx;
using JasperFx.Events;
using Marten.Exceptions;
using Npgsql;
using RabbitMQ.Client.Exceptions;
using Signup.Hosting.ServiceControl;
using Wolverine;
using Wolverine.ErrorHandling;

namespace Signup.Hosting;

/// <summary>What happens to a message whose handling fails: faults that pass are retried, bugs are not.</summary>
public static class Recoverability
{
    private static readonly TimeSpan[] Pauses = [.. new[] { 0.1, 0.5, 2, 5, 10, 20 }.Select(TimeSpan.FromSeconds)];

    /// <summary>How long a message rests, back in its queue, when retrying in place did not help: the broker or the database is away.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(15);

    /// <summary>PostgreSQL's code for a transaction that was ended because its process did nothing in it for too long.</summary>
    private const string IdleInTransactionSessionTimeout = "25P03";

    private const string ToError = "Move to the queue error";

    public static void Configure(WolverineOptions options)
    {
        // Someone else appended first: load and decide again, at once.
        options.OnException<EventStreamUnexpectedMaxEventIdException>()
            .Or<ConcurrencyException>()
            .RetryWithCooldown([.. Enumerable.Range(1, 8).Select(n => TimeSpan.FromMilliseconds(10 * n))]).WithFullJitter()
            .Then.CustomActionIndefinitely(Failures.MoveAsync, ToError);

        // The database or the broker is away, restarting, or too busy. The message stays unacknowledged meanwhile, however long it takes.
        options.OnException(IsTransient)
            .RetryWithCooldown(Pauses).WithFullJitter()
            .Then.PauseThenRequeue(Rest);

        // Anything else is a bug or a poisoned message: repeating it would not help. To the queue `error`, at once.
        options.OnAnyException().CustomActionIndefinitely(Failures.MoveAsync, ToError);
    }

    /// <summary>Whether the database could not be asked at all, as opposed to having answered with an error: whoever asks next will fare no better.</summary>
    public static bool IsUnreachable(Exception e) => e is NpgsqlException and not PostgresException || (e.InnerException is { } inner && e is not PostgresException && IsUnreachable(inner));

    /// <summary>Whether the fault lies in the way to the database or the broker, so that the same message may succeed later.</summary>
    public static bool IsTransient(Exception e) => e switch
    {
        MartenCommandException { InnerException: { } inner } => IsTransient(inner),
        // Terminated by the administrator, by a crash of the server, or for having frozen inside a transaction.
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or IdleInTransactionSessionTimeout } => true,
        // The connection broke inside the transaction, and the session, which is this message's own, with it.
        SessionTransactionUnusableException => true,
        // A channel that was lost is closed while another handler still publishes on it: the client's word for that, or its semaphore's.
        ObjectDisposedException { ObjectName: var closed } => closed.StartsWith("RabbitMQ.", StringComparison.Ordinal) || closed == typeof(SemaphoreSlim).FullName,
        NpgsqlException npgsql => npgsql.IsTransient || npgsql.InnerException is IOException or TimeoutException or System.Net.Sockets.SocketException,
        TransientException or RabbitMQClientException or BrokerUnavailableException or IOException or TimeoutException => true,
        AggregateException many => many.InnerExceptions.All(IsTransient),
        _ => false,
    };
}

/// <summary>Not now, but the same message may succeed later.</summary>
public abstract class TransientException(string message) : Exception(message);
