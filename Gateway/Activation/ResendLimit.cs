using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Signup.Gateway.Activation;

/// <summary>Settings <c>Resend:…</c>.</summary>
public sealed record ResendSettings
{
    /// <summary>The least time between two mails that someone asks for.</summary>
    public TimeSpan Cooldown { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How many mails someone may ask for in 24 hours.</summary>
    [Range(1, 1000)]
    public int PerDay { get; init; } = 5;
}

/// <summary>
/// How often the activation mail may be asked for again. This is to say so at once; the limit that holds over restarts and
/// over many gateways is Mail's. Counted by account, and asked only by who holds its token, so it tells nobody whether an address has an account.
/// </summary>
public sealed class ResendLimit(IOptions<ResendSettings> settings, TimeProvider time)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>Above this, entries that no longer limit anything are dropped.</summary>
    private const int SweepAbove = 10_000;

    private readonly ConcurrentDictionary<Guid, DateTimeOffset[]> _asked = new();

    /// <returns>Null, and it is counted; or when to try again.</returns>
    public TimeSpan? Refuse(Guid accountId)
    {
        if (_asked.Count > SweepAbove) Sweep();
        var now = time.GetUtcNow();
        TimeSpan? wait = null;
        _asked.AddOrUpdate(accountId, _ => [now], (_, before) =>
        {
            var lately = before.Where(t => t > now - Day).ToArray();
            wait = Wait(lately, now);
            return wait is null ? [.. lately, now] : lately;
        });
        return wait;
    }

    private TimeSpan? Wait(DateTimeOffset[] lately, DateTimeOffset now)
    {
        if (lately.Length >= settings.Value.PerDay) return lately[^settings.Value.PerDay] + Day - now;
        return lately.Length > 0 && now - lately[^1] < settings.Value.Cooldown ? lately[^1] + settings.Value.Cooldown - now : null;
    }

    private void Sweep()
    {
        var oldest = time.GetUtcNow() - Day;
        foreach (var (id, times) in _asked)
            if (times.Length == 0 || times[^1] <= oldest) _asked.TryRemove(new(id, times));
    }
}
