using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Following;

namespace Signup.Mail;

/// <summary>
/// Begins and ends each account's activation as the log says, from the log's first event on: no message has to arrive for that. Of an account that it has not
/// seen before it reads the whole stream at once, not only the events up to here, so that nobody gets a mail for what is long over, or was sent before
/// <c>mail.activation</c> was lost. What is changed is told, and links are sent that were asked for.
/// </summary>
public sealed partial class PendingAccounts(LogReader log, Activations activations, ActivationPolicy policy, TimeProvider time, ILogger<PendingAccounts> logger) : IProjection
{
    /// <summary>Those that give cause for a mail of their own.</summary>
    private static readonly HashSet<string> Told = [nameof(EmailChangeRequested), nameof(EmailChanged), nameof(PasswordChanged), nameof(PasswordResetRequested), nameof(SignUpAttempted), nameof(AccountDeleted)];

    /// <summary>What came of mails the state knows already, by whoever sent them.</summary>
    public static readonly HashSet<string> Followed =
    [
        nameof(AccountCreated), nameof(AccountActivated), nameof(AccountExpired), nameof(EmailChangeRequested), nameof(EmailChanged), nameof(UsernameChanged), nameof(AccountDeleted),
        nameof(PasswordChanged), nameof(PasswordResetRequested), nameof(SignUpAttempted), nameof(MailBounced), nameof(MailComplained),
    ];

    public string Name => "mail.activation";

    public Checkpoint Checkpoint { get; } = new("mail.checkpoint");

    public Task EnsureAsync(CancellationToken cancellation) => activations.CreateTableAsync(cancellation);

    public async Task ApplyAsync(NpgsqlConnection connection, Stretch next, CancellationToken cancellation)
    {
        var followed = next.Events.Where(e => Followed.Contains(e.Type)).ToList();
        var histories = await log.ReadStreamsAsync([.. followed.Where(e => e.Type == nameof(AccountCreated) || Told.Contains(e.Type)).Select(e => e.StreamId).Distinct()], cancellation, forTheLastMail: true);
        var changes = new List<(Guid Id, Func<Activation?, Activation?> Apply)>();
        foreach (var e in followed)
        {
            changes.Add((e.StreamId, state => state is null ? histories[e.StreamId].Aggregate(state, Next) : Next(state, e)));
            if (!Told.Contains(e.Type)) continue;
            foreach (var notice in Notices(e, histories[e.StreamId])) changes.Add((notice.Id, state => state ?? notice));
        }
        await activations.ApplyAsync(connection, changes, next.UpTo);
        // To whom the last mail goes is noted now.
        await PersonalKeys.DestroyAsync(connection, [.. followed.Where(e => e.Type == nameof(AccountDeleted) && Read(e) is AccountDeleted { Forgotten: true }).Select(e => e.StreamId)], cancellation);
    }

    public void Applied() => activations.Changed.Signal();

    private Activation? Next(Activation? state, LoggedEvent e)
    {
        // A state that was read from a whole stream is ahead of the log's reader.
        if (e.Version <= state?.Version || Read(e) is not { } known) return state;
        return policy.Apply(state, e.StreamId, known, e.AsCause()) is { } next ? next with { Version = e.Version } : null;
    }

    private IEnumerable<Activation> Notices(LoggedEvent e, IEnumerable<LoggedEvent> history) => Read(e) is { } known
        ? ActivationPolicy.Tell(e.StreamId, known, e.EventId, e.Version, [.. from h in history let read = Read(h) where read is not null select (h.Version, read)], time.GetUtcNow(), e.AsCause())
        : [];

    /// <returns>Null where it is of no kind that is known, or cannot be read.</returns>
    private object? Read(LoggedEvent e)
    {
        try
        {
            return EventTypes.Read(e);
        }
        catch (System.Text.Json.JsonException exception)
        {
            // It will not become another. The others' mails do not wait for it.
            Unreadable(logger, exception, e.Type, e.Position, e.StreamId);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The {Type} at position {Position} cannot be read, and is left out: account {Account} may miss a mail")]
    private static partial void Unreadable(ILogger logger, Exception e, string type, long position, Guid account);
}
