namespace Signup.Mail;

public enum BreakerState
{
    /// <summary>Mails flow.</summary>
    Closed,
    /// <summary>The provider is in trouble: no mail before the next probe.</summary>
    Open,
    /// <summary>One mail is on its way to see whether it is over.</summary>
    Probing,
}

/// <summary>
/// Stops all sending while the provider is in trouble, and finds out by one mail at a time when that is over. A pure state: each event leads
/// to the next one. (Polly's breaker samples failure rates over a window and lets the caller's next try be the probe, at a fixed
/// pause; here one clear fault is enough, the pause grows, and the probe is chosen before a mail is taken from the database.)
/// </summary>
/// <param name="Pause">The last pause, which the next one doubles.</param>
/// <param name="ProbeAt">Not before then, the next probe.</param>
/// <param name="Broken">Mails in a row that were broken off in their midst.</param>
/// <param name="Reason">Class of the trouble; empty while closed.</param>
public sealed record Breaker(BreakerState State, TimeSpan Pause, DateTimeOffset ProbeAt, int Broken, string Reason)
{
    public static readonly Breaker Closed = new(BreakerState.Closed, default, default, 0, "");

    /// <summary>One mail that breaks off may be that mail's own fault, and it is put behind the others. So many in a row are the provider's.</summary>
    private const int BrokenToOpen = 3;

    public Breaker Succeeded() => this == Closed ? this : Closed;

    /// <summary>One mail may go, to see.</summary>
    public Breaker Probe(DateTimeOffset now) => State == BreakerState.Open && now >= ProbeAt ? this with { State = BreakerState.Probing } : this;

    /// <param name="inMail">It happened in the midst of a mail.</param>
    public Breaker Troubled(string reason, bool inMail, DateTimeOffset now, TimeSpan first, TimeSpan cap) => State switch
    {
        // Those that were under way when it opened tell nothing new.
        BreakerState.Open => this,
        BreakerState.Closed when inMail && Broken + 1 < BrokenToOpen => this with { Broken = Broken + 1 },
        BreakerState.Closed => Open(reason, first, now),
        _ => Open(reason, Pause * 2 < cap ? Pause * 2 : cap, now),
    };

    private static Breaker Open(string reason, TimeSpan pause, DateTimeOffset now) => new(BreakerState.Open, pause, now + pause, 0, reason);
}
