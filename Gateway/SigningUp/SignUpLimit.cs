using System.Net;
using System.Threading.RateLimiting;
using Signup.Gateway.Web;

namespace Signup.Gateway.SigningUp;

/// <summary>
/// How many sign-ups one client may try. Counted before anything is looked at, whatever comes of it: so it protects the hashing, slows
/// down whoever tries which addresses are taken, and says nothing about any of them.
/// </summary>
public sealed class SignUpLimit : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress> _limiter;

    /// <param name="perMinute">Per client; 0 is no limit. So many may come at once, too.</param>
    public SignUpLimit(int perMinute) => _limiter = PartitionedRateLimiter.Create<IPAddress, IPAddress>(client => perMinute <= 0
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
        using var lease = _limiter.AttemptAcquire(Client.Network(client));
        if (lease.IsAcquired) return null;
        return lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1);
    }

    public void Dispose() => _limiter.Dispose();
}
