namespace Signup.EventLog.Accounts;

/// <summary>Which of an account's sessions have ended before their time. Nobody notes that one begins: it is a signed token, which says which it is.</summary>
/// <param name="Generation">How often all have ended. A session is of the generation in which it began, and ends with it.</param>
/// <param name="Ended">Those of the present generation that have ended one by one.</param>
public sealed record SessionStatus(int Generation, IReadOnlyList<Guid> Ended)
{
    public static readonly SessionStatus New = new(0, []);

    /// <summary>Whether a session goes on, as far as the log says. Its time may be over.</summary>
    public bool Admits(int generation, Guid sessionId) => generation == Generation && !Ended.Contains(sessionId);

    public SessionStatus Apply(object @event) => @event switch
    {
        SignedOut e when !Ended.Contains(e.SessionId) => this with { Ended = [.. Ended, e.SessionId] },
        SignedOutEverywhere => new(Generation + 1, []),
        _ => this,
    };
}
