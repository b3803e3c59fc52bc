using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Signup.Hosting.Http;

namespace Signup.Hosting.Operations;

/// <summary>
/// Who operates the system: each has a key of their own, the setting <c>Ops:Keys:&lt;name&gt;</c>, so who did something is known and not just said. The key
/// opens a session of eight hours: a cookie signed with that key, so any instance knows it, and another key (or none) ends that operator's sessions alone. (ASP.NET Core's cookies
/// are signed with keys in files, which end nobody's session when an operator's key goes.)
/// </summary>
public sealed partial class Operators : IDisposable
{
    /// <summary>Characters. A guess must be hopeless, and <see cref="TriesPerMinute"/> counts for one client only.</summary>
    public const int ShortestKey = 16;

    /// <summary>Per client address.</summary>
    public const int TriesPerMinute = 10;

    private const int LongestName = 60;
    private static readonly TimeSpan Session = TimeSpan.FromHours(8);

    private readonly Dictionary<string, byte[]> _keys;
    private readonly ClientLimit _limit = new(TriesPerMinute);
    private readonly TimeProvider _time;
    private readonly ILogger<Operators> _logger;
    private readonly string _cookie;
    private readonly string _path;

    /// <param name="cookie">Its name: cookies know no ports, so each door has its own.</param>
    /// <param name="path">Where its pages are.</param>
    /// <exception cref="InvalidOperationException">A key that is none, or belongs to two.</exception>
    internal Operators(IConfiguration settings, TimeProvider time, ILogger<Operators> logger, string cookie, string path)
    {
        _keys = KeysIn(settings).ToDictionary(k => k.Key, k => Encoding.UTF8.GetBytes(k.Value), StringComparer.OrdinalIgnoreCase);
        (_time, _logger, _cookie, _path) = (time, logger, cookie, path);
        if (!string.IsNullOrEmpty(settings["Ops:ApiKey"])) NotReadAnyMore(logger);
    }

    /// <summary>Their keys by their names.</summary>
    /// <exception cref="InvalidOperationException">A key that is none, or belongs to two.</exception>
    public static IReadOnlyDictionary<string, string> KeysIn(IConfiguration settings)
    {
        var keys = settings.GetSection("Ops:Keys").GetChildren().Where(k => !string.IsNullOrWhiteSpace(k.Value)).ToDictionary(k => k.Key, k => k.Value!);
        foreach (var (name, key) in keys)
        {
            if (key.Length < ShortestKey) throw new InvalidOperationException($"The setting Ops:Keys:{name} is too short for a key. `openssl rand -hex 24` makes one; {ShortestKey} characters are the least.");
            if (name.Length > LongestName) throw new InvalidOperationException($"The setting Ops:Keys:{name} has too long a name; {LongestName} characters are the most.");
            if (keys.FirstOrDefault(other => other.Key != name && other.Value == key) is { Key: { } other }) throw new InvalidOperationException($"The settings Ops:Keys:{name} and Ops:Keys:{other} are one key. Each operator has their own: it says who did something.");
        }
        return keys;
    }

    /// <summary>Opens a session for whose key that is.</summary>
    /// <returns>Null; else why not: the status to answer with, and what to say.</returns>
    public (int Status, string Trouble)? SignIn(HttpContext http, string? key)
    {
        if (_limit.Refuse(http.Connection.RemoteIpAddress) is { } after)
        {
            Problems.SetRetryAfter(http.Response, after);
            return (StatusCodes.Status429TooManyRequests, "Too many tries. Wait a minute.");
        }
        if (Owner(key) is not { } name)
        {
            WrongKey(_logger, http.Connection.RemoteIpAddress?.ToString());
            return (StatusCodes.Status401Unauthorized, "That is nobody's key.");
        }
        var until = (_time.GetUtcNow() + Session).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var payload = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{until}\n{name}"));
        http.Response.Cookies.Append(_cookie, $"{payload}.{Base64Url.EncodeToString(Proof(_keys[name], payload))}", Options(http));
        return null;
    }

    public void SignOut(HttpContext http) => http.Response.Cookies.Delete(_cookie, Options(http));

    /// <summary>The operator's name, or null for anyone else.</summary>
    public string? Find(HttpRequest request)
    {
        if (request.Cookies[_cookie]?.Split('.') is not [var payload, var proof] || !Base64Url.IsValid(payload) || !Base64Url.IsValid(proof)) return null;
        var said = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(payload)).Split('\n', 2);
        if (said is not [var until, var name] || !_keys.TryGetValue(name, out var key) || !CryptographicOperations.FixedTimeEquals(Base64Url.DecodeFromChars(proof), Proof(key, payload))) return null;
        return long.Parse(until, CultureInfo.InvariantCulture) > _time.GetUtcNow().ToUnixTimeSeconds() ? name : null;
    }

    public void Dispose() => _limit.Dispose();

    /// <summary>Takes the same time whoever's it is, or nobody's.</summary>
    private string? Owner(string? key)
    {
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(key ?? ""));
        string? owner = null;
        foreach (var (name, theirs) in _keys)
            if (CryptographicOperations.FixedTimeEquals(SHA256.HashData(theirs), given)) owner = name;
        return owner;
    }

    private CookieOptions Options(HttpContext http) =>
        new() { HttpOnly = true, Secure = http.Request.IsHttps, SameSite = SameSiteMode.Strict, Path = _path, IsEssential = true, MaxAge = Session };

    private static byte[] Proof(byte[] key, string payload) => HMACSHA256.HashData(key, Encoding.ASCII.GetBytes("operator\0" + payload));

    [LoggerMessage(Level = LogLevel.Warning, Message = "A wrong operator's key, from {Address}")]
    private static partial void WrongKey(ILogger logger, string? address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ops:ApiKey is not read any more: give each operator a key of their own, Ops:Keys:<name> (as an environment variable Ops__Keys__<name>)")]
    private static partial void NotReadAnyMore(ILogger logger);
}

public static class OperatorServices
{
    /// <inheritdoc cref="Operators(IConfiguration, TimeProvider, ILogger{Operators}, string, string)"/>
    public static void AddOperators(this IServiceCollection services, string cookie, string path) => services.AddSingleton(s =>
        new Operators(s.GetRequiredService<IConfiguration>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<Operators>>(), cookie, path));
}
