namespace Signup.Gateway.SigningIn;

/// <summary>
/// After some failures the next try has to wait, each time twice as long. What is counted is one account and whoever tries it, together: so nobody can make others
/// wait. A try counts as failed until it is known how it ended, so that many at once are no way around. In memory: each gateway counts for itself.
/// </summary>
public sealed class GrowingWaits(TimeProvider time)
{
    /// <summary>People mistype. From this failure on there is a wait.</summary>
    public const int Free = 5;

    public static readonly TimeSpan First = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromMinutes(15);

    /// <summary>So long after its last failure a pair is forgotten.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    /// <summary>Pairs that are remembered. Whoever comes when there are so many is limited by what else limits a client.</summary>
    private const int Most = 100_000;

    private sealed class Tries
    {
        public int Failures;
        public DateTimeOffset Last, NotBefore;
    }

    private readonly Dictionary<(string Account, string Client), Tries> _tries = [];
    private DateTimeOffset _swept;

    /// <summary>Counts a try as failed.</summary>
    /// <returns>Null, or how long to wait before it; then nothing was counted.</returns>
    public TimeSpan? Refuse(string account, string client)
    {
        var now = time.GetUtcNow();
        lock (_tries)
        {
            if (_tries.TryGetValue((account, client), out var tries) && now - tries.Last >= Memory) tries.Failures = 0;
            if (tries is null)
            {
                Sweep(now);
                if (_tries.Count >= Most) return null;
                _tries[(account, client)] = tries = new();
            }
            if (now < tries.NotBefore) return tries.NotBefore - now;
            tries.Failures++;
            tries.Last = now;
            tries.NotBefore = now + WaitAfter(tries.Failures);
            return null;
        }
    }

    /// <summary>It succeeded: nothing is held against this client any more.</summary>
    public void Succeeded(string account, string client)
    {
        lock (_tries) _tries.Remove((account, client));
    }

    /// <summary>It was never known how it would have ended.</summary>
    public void TakeBack(string account, string client)
    {
        lock (_tries)
        {
            if (!_tries.TryGetValue((account, client), out var tries)) return;
            tries.Failures = Math.Max(0, tries.Failures - 1);
            tries.NotBefore = default;
        }
    }

    public static TimeSpan WaitAfter(int failures) => failures < Free ? TimeSpan.Zero
        : TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << Math.Min(failures - Free, 30)));

    private void Sweep(DateTimeOffset now)
    {
        if (now - _swept < TimeSpan.FromMinutes(1)) return;
        _swept = now;
        foreach (var old in _tries.Where(t => now - t.Value.Last >= Memory).Select(t => t.Key).ToList()) _tries.Remove(old);
    }
}
