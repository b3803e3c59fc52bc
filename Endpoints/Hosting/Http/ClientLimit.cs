using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;

namespace Signup.Hosting.Http;

/// <summary>
/// How often one client may try something. Counted before anything is looked at, whatever comes of it: so it protects what is costly, slows
/// down whoever guesses, and says nothing about what was tried. By what ASP.NET Core's middleware for limits is made of, and not by the middleware: a form that is refused
/// comes back with what was typed into it, and a sign-in from a known device does not count, which only who has read it knows.
/// </summary>
public sealed class ClientLimit : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress> _limiter;

    /// <param name="perMinute">Per client; 0 is no limit. So many may come at once, too.</param>
    public ClientLimit(int perMinute) => _limiter = PartitionedRateLimiter.Create<IPAddress, IPAddress>(client => perMinute <= 0
        ? RateLimitPartition.GetNoLimiter(client)
        : RateLimitPartition.GetTokenBucketLimiter(client, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = perMinute,
            // One at a time, so that nobody waits a whole minute for the next.
            TokensPerPeriod = 1,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1) / perMinute,
            QueueLimit = 0,
        }));

    /// <returns>Null, or when to try again.</returns>
    public TimeSpan? Refuse(IPAddress? client)
    {
        using var lease = _limiter.AttemptAcquire(Network(client));
        if (lease.IsAcquired) return null;
        return lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1);
    }

    /// <summary>One user, as far as an address can say: an IPv4 address, or the /64 that every IPv6 user has at least.</summary>
    public static IPAddress Network(IPAddress? address)
    {
        if (address is null) return IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    public void Dispose() => _limiter.Dispose();
}
