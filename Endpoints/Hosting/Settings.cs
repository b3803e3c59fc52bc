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

    private const string FileVariable = "SIGNUP_SETTINGS";

    /// <summary>Where the environment names a file in SIGNUP_SETTINGS, relative to the program, its lines, <c>KEY=value</c>, are environment variables, too: <c>./run</c> leaves such files
    /// (<c>.local/run/Accounts.env</c>), for who starts a program from an editor.</summary>
    /// <exception cref="InvalidOperationException">There is no such file.</exception>
    internal static void TakeFile()
    {
        if (Environment.GetEnvironmentVariable(FileVariable) is not { Length: > 0 } name) return;
        var path = Path.GetFullPath(name, AppContext.BaseDirectory);
        if (!File.Exists(path)) throw new InvalidOperationException($"{path} is not there, which {FileVariable} names. ./run writes it, and takes it away when it ends: start that first.");
        foreach (var line in File.ReadLines(path))
            if (line.Split('=', 2) is [var key, var value]) Environment.SetEnvironmentVariable(key, value);
    }

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
