using System.Collections.Immutable;

namespace Signup.Mail;

/// <summary>
/// Stops all sending while the provider is in trouble, and finds out by one mail at a time when that is over. A pure state: each event leads
/// to the next one. (Polly's breaker samples failure rates over a window and lets the caller's next try be the probe, at a fixed
/// pause; here the pause grows, the probe is chosen before a mail is taken from the database, and what one address gets says nothing about the others.)
/// </summary>
/// <param name="Pause">The last pause, which the next one doubles; zero while mails flow.</param>
/// <param name="ProbeAt">Not before then, the next probe.</param>
/// <param name="Domains">Where mails failed, in a row, so that it may be the provider's doing.</param>
/// <param name="Reason">Class of the trouble; empty while mails flow.</param>
public sealed record Breaker(TimeSpan Pause, DateTimeOffset ProbeAt, ImmutableHashSet<string> Domains, string Reason)
{
    public static readonly Breaker Closed = new(default, default, [], "");

    /// <summary>A mail that fails is that mail's own affair: whoever signs up with an address that makes trouble must not stop the mails of others. Mails to so
    /// many different domains that fail in a row, and none arrives in between, are the provider's.</summary>
    public const int DomainsToOpen = 5;

    public bool IsOpen => Pause > TimeSpan.Zero;

    /// <summary>The provider has taken a mail, or refused an address as a provider does that works.</summary>
    public Breaker Succeeded() => this == Closed ? this : Closed;

    /// <summary>One mail has failed.</summary>
    /// <param name="domain">Where it was to go.</param>
    /// <param name="answered">The provider has said so, and not just broken off: its connection works.</param>
    public Breaker Failed(string reason, string domain, bool answered, DateTimeOffset now, TimeSpan first, TimeSpan cap)
    {
        if (IsUnderWay(now)) return this;
        var domains = Domains.Count < DomainsToOpen ? Domains.Add(OrganizationalDomain(domain)) : Domains;
        if (domains.Count >= DomainsToOpen || (IsOpen && !answered)) return Open(reason, domains, now, first, cap);
        return Closed with { Domains = domains };
    }

    /// <summary>The provider cannot be reached, does not let us in, or refuses us as the sender of any mail.</summary>
    public Breaker Troubled(string reason, DateTimeOffset now, TimeSpan first, TimeSpan cap) =>
        IsUnderWay(now) ? this : Open(reason, [], now, first, cap);

    /// <summary>Mails that were under way when it opened tell nothing new.</summary>
    private bool IsUnderWay(DateTimeOffset now) => IsOpen && now < ProbeAt;

    private Breaker Open(string reason, ImmutableHashSet<string> domains, DateTimeOffset now, TimeSpan first, TimeSpan cap)
    {
        var pause = !IsOpen ? first : Pause * 2 < cap ? Pause * 2 : cap;
        return new(pause, now + pause, domains, reason);
    }

    /// <summary>The last two labels: subdomains are anyone's for the making. (For <c>example.co.uk</c> this is too short, which merely counts fewer.)</summary>
    internal static string OrganizationalDomain(string domain) => string.Join('.', domain.ToLowerInvariant().Split('.')[^Math.Min(2, domain.Split('.').Length)..]);
}
