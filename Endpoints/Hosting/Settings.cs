using Microsoft.Extensions.Configuration;
using Signup.EventLog.Archiving;
using Signup.Hosting.Calls;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting;

/// <summary>Settings that several processes share. What is missing or wrong is said at the start, with what to do about it.</summary>
public static class Settings
{
    /// <summary>The setting of a standby to read the log from.</summary>
    internal const string Replica = "ConnectionStrings:PostgresReplica";

    /// <exception cref="InvalidOperationException">It is not set. Says how to set it.</exception>
    public static string Required(IConfiguration configuration, string key) => configuration[key] is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"The setting {key} is missing. Set it in appsettings.json, or as the environment variable {key.Replace(":", "__", StringComparison.Ordinal)}.");

    /// <summary>The log's database, as an Npgsql connection string.</summary>
    /// <exception cref="InvalidOperationException">It is not set.</exception>
    public static string Database(IConfiguration configuration) => Required(configuration, "ConnectionStrings:Postgres");

    /// <summary>Where the log's archive is; null where nobody has told.</summary>
    /// <exception cref="InvalidOperationException">It is no place for one.</exception>
    internal static ArchiveTarget? Archive(IConfiguration configuration) => configuration["Archive:Target"] is { Length: > 0 } target ? new ArchiveTarget(target) : null;

    /// <summary>The setting <c>Signup:SigningKey</c>: the first signs, all verify.</summary>
    /// <exception cref="InvalidOperationException">They are no keys.</exception>
    public static IReadOnlyList<byte[]> SigningKeys(IConfiguration configuration)
    {
        const string setting = "Signup:SigningKey";
        try
        {
            byte[][] keys = [.. Required(configuration, setting).Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Convert.FromBase64String)];
            if (keys.Length > 0 && keys.All(k => k.Length >= 32)) return keys;
        }
        catch (FormatException)
        {
        }
        throw new InvalidOperationException($"The setting {setting} must be a key, or several with commas between: each base64 of at least 32 bytes, as `openssl rand -base64 32` makes one.");
    }

    /// <summary>RabbitMQ's nodes, each with the same user, password and virtual host.</summary>
    /// <exception cref="InvalidOperationException">They are not set, or no addresses.</exception>
    public static BrokerNodes BrokerNodes(IConfiguration configuration)
    {
        const string setting = "ConnectionStrings:RabbitMq";
        try
        {
            var nodes = RabbitMq.BrokerNodes.Of(Required(configuration, setting));
            if (nodes.All.All(node => node.Scheme is "amqp" or "amqps")) return nodes;
        }
        catch (FormatException)
        {
        }
        throw new InvalidOperationException($"The setting {setting} must be an AMQP URI, amqp://user:password@host:5672/vhost, with commas between the nodes of a cluster: amqp://user:password@one,two,three.");
    }

    /// <summary>Where another process is: the addresses of its instances.</summary>
    /// <exception cref="InvalidOperationException">They are not set, or no addresses.</exception>
    public static IReadOnlyList<Uri> Urls(IConfiguration configuration, string key)
    {
        try
        {
            var urls = Hosts.Of(Required(configuration, key));
            if (urls.All(url => url.Scheme is "http" or "https")) return urls;
        }
        catch (FormatException)
        {
        }
        throw new InvalidOperationException($"The setting {key} is no address: '{configuration[key]}'. It is one like http://127.0.0.1:8080, with commas between several instances: http://one:8080,two:8080.");
    }
}
