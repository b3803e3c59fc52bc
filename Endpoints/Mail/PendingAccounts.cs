using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting;

namespace Signup.Mail;

/// <summary>
/// Begins and ends each account's activation as the log says, from the log's first event on: no message has to arrive for that. Of an account that it has not
/// seen before it reads the whole stream at once, not only the events up to here, so that nobody gets a mail for what is long over, or was sent before
/// <c>mail.activation</c> was lost.
/// </summary>
public sealed partial class PendingAccounts(LogReader log, Activations activations, ActivationPolicy policy, ILogger<PendingAccounts> logger) : IProjection
{
    /// <summary>What came of mails the state knows already, by whoever sent them.</summary>
    private static readonly HashSet<string> Followed = [nameof(AccountCreated), nameof(AccountActivated), nameof(AccountExpired), nameof(AccountDeleted)];

    public string Name => "mail.activation";

    public Task EnsureAsync(CancellationToken cancellation) => activations.CreateTableAsync(cancellation);

    public async Task<long> PositionAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select position from mail.checkpoint", connection);
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    public async Task<long?> LockAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select position from mail.checkpoint for update skip locked", connection);
        return (long?)await command.ExecuteScalarAsync(cancellation);
    }

    public async Task ApplyAsync(NpgsqlConnection connection, IReadOnlyList<LoggedEvent> events, CancellationToken cancellation)
    {
        var followed = events.Where(e => Followed.Contains(e.Type)).ToList();
        var histories = await log.ReadStreamsAsync([.. followed.Where(e => e.Type == nameof(AccountCreated)).Select(e => e.StreamId)], cancellation);
        await activations.ApplyAsync(connection,
            followed.ConvertAll<(Guid, Func<Activation?, Activation?>)>(e => (e.StreamId, state => state is null ? histories[e.StreamId].Aggregate(state, Next) : Next(state, e))),
            events[^1].Position, cancellation);
    }

    private Activation? Next(Activation? state, LoggedEvent e)
    {
        try
        {
            return EventTypes.Read(e) is { } known ? policy.Apply(state, e.StreamId, known, e.TraceParent) : state;
        }
        catch (System.Text.Json.JsonException exception)
        {
            // It will not become another. The others' mails do not wait for it.
            Unreadable(logger, exception, e.Type, e.Position, e.StreamId);
            return state;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The {Type} at position {Position} cannot be read, and is left out: account {Account} may miss a mail")]
    private static partial void Unreadable(ILogger logger, Exception e, string type, long position, Guid account);
}
