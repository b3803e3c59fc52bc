using System.Net;
using Signup.Hosting.Http;

namespace Signup.Gateway.SigningIn;

/// <summary>How often a sign-in may be tried: by one client, whatever it tries; and by one client for one account, with growing waits. Nobody's failures count for anybody else, and
/// whether there is such an account makes no difference.</summary>
/// <param name="perMinute">By one client; 0 is no limit at all.</param>
public sealed class SignInLimits(int perMinute, TimeProvider time) : IDisposable
{
    private readonly ClientLimit _clients = new(perMinute);
    private readonly GrowingWaits _waits = new(time);

    /// <summary>Counts a try as failed, until it is known how it ended.</summary>
    /// <param name="address">Normalized.</param>
    /// <param name="device">That the account was signed in to before; null: not known.</param>
    /// <param name="counted">What it was counted for; null where it was not.</param>
    /// <returns>Null, or how long to wait before it.</returns>
    public TimeSpan? Refuse(string address, string? device, IPAddress? client, out (string Account, string Client)? counted)
    {
        counted = null;
        if (perMinute <= 0) return null;
        // Who shares its network can use up the client's share, and is not to keep a known device out.
        if (device is null && _clients.Refuse(client) is { } after) return after;
        var pair = (address, device ?? $"{ClientLimit.Network(client)}");
        if (_waits.Refuse(pair.address, pair.Item2) is { } wait) return wait;
        counted = pair;
        return null;
    }

    /// <summary>Counts what costs as much as a try, and is none.</summary>
    /// <returns>Null, or how long to wait before it.</returns>
    public TimeSpan? Refuse(IPAddress? client) => perMinute <= 0 ? null : _clients.Refuse(client);

    public void Succeeded((string Account, string Client)? counted)
    {
        if (counted is var (account, client)) _waits.Succeeded(account, client);
    }

    /// <summary>It was never known how it would have ended.</summary>
    public void TakeBack((string Account, string Client)? counted)
    {
        if (counted is var (account, client)) _waits.TakeBack(account, client);
    }

    public void Dispose() => _clients.Dispose();
}
