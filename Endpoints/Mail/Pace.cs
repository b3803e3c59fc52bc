using System.Collections.Immutable;

namespace Signup.Mail;

/// <summary>
/// How fast mails may go: no faster than the setting says, and, since the provider said that it is too fast, half as fast, and twice as fast again with every half minute.
/// A pure state: each event leads to the next one. (System.Threading.RateLimiting's limiters have rates that are fixed.)
/// </summary>
/// <param name="Most">Mails a second, by setting; infinite: as fast as it goes.</param>
public sealed record Pace(double Most)
{
    /// <summary>In so long a slower pace doubles.</summary>
    public static readonly TimeSpan Doubling = TimeSpan.FromSeconds(30);

    /// <summary>After so many doublings there is none any more.</summary>
    public const int Doublings = 4;

    /// <summary>Mails a second, however often the provider says that it is too fast: who can make it say so must not stop all mail.</summary>
    public const double Slowest = 1;

    /// <summary>What is said about mails that were under way when it became slower tells nothing new.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    /// <summary>So long a reply about one mail counts together with others.</summary>
    private static readonly TimeSpan Together = TimeSpan.FromMinutes(1);

    /// <summary>When it last became slower.</summary>
    private DateTimeOffset SlowedAt { get; init; } = DateTimeOffset.MinValue;

    /// <summary>Mails a second at that time.</summary>
    private double Slowed { get; init; } = double.PositiveInfinity;

    /// <summary>Not before then, the next mail.</summary>
    private DateTimeOffset Next { get; init; }

    /// <summary>Mails a second of late, each weighed down by e with every second that passed, as of <see cref="SpeedAt"/>.</summary>
    private double Speed { get; init; }

    private DateTimeOffset SpeedAt { get; init; }

    /// <summary>Whose mails were too fast, since <see cref="DomainsSince"/>.</summary>
    private ImmutableHashSet<string> Domains { get; init; } = [];

    private DateTimeOffset DomainsSince { get; init; }

    public bool IsSlowed(DateTimeOffset now) => PerSecond(now) < Most;

    /// <summary>Mails a second, from now on; infinite: as fast as it goes.</summary>
    public double PerSecond(DateTimeOffset now)
    {
        var since = now - SlowedAt;
        return since < Doubling * Doublings ? Math.Min(Most, Slowed * Math.Pow(2, since / Doubling)) : Most;
    }

    /// <summary>One more mail is to go.</summary>
    /// <param name="wait">How long it has to wait for its turn.</param>
    public Pace Take(DateTimeOffset now, out TimeSpan wait)
    {
        var turn = Next > now ? Next : now;
        wait = turn - now;
        return this with { Next = turn + TimeSpan.FromSeconds(1 / PerSecond(now)), Speed = SpeedBy(turn) + 1, SpeedAt = turn };
    }

    /// <summary>The provider said that it is too fast, of a mail to that domain; null: before it was told where the mail goes.</summary>
    public Pace TooFast(string? domain, DateTimeOffset now)
    {
        if (now - SlowedAt < Settling) return this;
        // As with the breaker: what one stranger's address makes the provider say must not slow down the mails of others.
        var known = now - DomainsSince < Together;
        ImmutableHashSet<string> domains = domain is null ? [] : (known ? Domains : []).Add(Breaker.OrganizationalDomain(domain));
        return domain is null || domains.Count >= Breaker.DomainsToOpen
            ? this with { Slowed = Math.Max(Slowest, Math.Min(PerSecond(now), SpeedBy(now)) / 2), SlowedAt = now, Domains = [] }
            : this with { Domains = domains, DomainsSince = known ? DomainsSince : now };
    }

    private double SpeedBy(DateTimeOffset now) => Speed * Math.Exp(-Math.Max(0, (now - SpeedAt).TotalSeconds));
}
