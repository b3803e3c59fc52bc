namespace Signup.EventLog.Accounts;

/// <summary>Which of an account's sessions have ended before their time. Nobody notes that one begins: it is a signed token, which says which it is.</summary>
/// <param name="Generation">How often all have ended. A session is of the generation in which it began, and ends with it.</param>
/// <param name="Ended">Those that have ended one by one, since all have.</param>
/// <param name="Kept">The one that did not end with the others of its generation; null: all did.</param>
public sealed record SessionStatus(int Generation, IReadOnlyList<Guid> Ended, Guid? Kept = null)
{
    public static readonly SessionStatus New = new(0, []);

    /// <summary>Whether a session goes on, as far as the log says. Its time may be over.</summary>
    public bool Admits(int generation, Guid sessionId) => IsPresent(generation, sessionId) && !Ended.Contains(sessionId);

    /// <summary>Whether it has not ended together with all others.</summary>
    public bool IsPresent(int generation, Guid sessionId) => generation == Generation || sessionId == Kept;

    public SessionStatus Apply(object @event) => @event switch
    {
        SignedOut e when !Ended.Contains(e.SessionId) => this with { Ended = [.. Ended, e.SessionId] },
        SignedOutEverywhere => new(Generation + 1, []),
        PasswordChanged e => new(Generation + 1, [], e.SessionId),
        _ => this,
    };
}
