using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Signup.Hosting.Http;

/// <summary>
/// What a proxy says of its clients counts where the setting <see cref="Setting"/> has its address, or address range (comma-separated). From anyone
/// else it is an attacker's to choose, but for one thing: whoever says that the browser speaks TLS gets cookies that are sent by TLS only.
/// </summary>
public static partial class Proxies
{
    public const string Setting = "ForwardedHeaders:KnownProxies";

    /// <summary>Addresses that are warned of; one log line each.</summary>
    private const int MostTold = 10;

    /// <exception cref="InvalidOperationException">The setting holds what is no address.</exception>
    public static void UseProxies(this WebApplication app)
    {
        var options = Options(app.Configuration[Setting]);
        if (options.KnownProxies.Count + options.KnownIPNetworks.Count > 0) app.UseForwardedHeaders(options);
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Proxies));
        var told = new ConcurrentDictionary<IPAddress, bool>();
        app.Use((http, next) =>
        {
            var headers = http.Request.Headers;
            if (IsFromNobodyKnown(http) && http.Connection.RemoteIpAddress is { } address && !told.ContainsKey(address) && told.Count < MostTold && told.TryAdd(address, true)) NobodyKnown(logger, address);
            if (headers["X-Forwarded-Proto"].ToString().Equals("https", StringComparison.OrdinalIgnoreCase)) http.Request.Scheme = "https";
            return next(http);
        });
    }

    /// <summary>Whether it came from this machine, and not through a proxy on it.</summary>
    public static bool IsLocal(HttpContext http) =>
        http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address) && !IsForwarded(http);

    /// <summary>What a known proxy has said is moved to other headers as it is read.</summary>
    private static bool IsForwarded(HttpContext http) =>
        http.Request.Headers.ContainsKey(ForwardedHeadersDefaults.XForwardedForHeaderName) || http.Request.Headers.ContainsKey("Forwarded");

    private static bool IsFromNobodyKnown(HttpContext http) => IsForwarded(http) && !http.Request.Headers.ContainsKey(ForwardedHeadersDefaults.XOriginalForHeaderName);

    private static ForwardedHeadersOptions Options(string? proxies)
    {
        // However many known ones it passed: the first address that is not known is the client's.
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var proxy in (proxies ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (System.Net.IPNetwork.TryParse(proxy, out var network)) options.KnownIPNetworks.Add(network);
            else if (IPAddress.TryParse(proxy, out var address)) options.KnownProxies.Add(address);
            else throw new InvalidOperationException($"The setting {Setting} holds '{proxy}', which is neither an address nor an address range such as 10.0.0.0/8.");
        }
        return options;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Forwarded headers come from {Address}, which is not in " + Setting + ": they are not believed. If that is your proxy, all people behind it count as one client, and share one rate limit: put its address into that setting")]
    private static partial void NobodyKnown(ILogger logger, IPAddress address);
}
