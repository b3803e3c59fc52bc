namespace Signup.Hosting.Calls;

/// <summary>The address of something that is on several hosts, any of which will do: <c>amqp://user:password@one:5672,two:5672,three:5672/vhost</c>. All else in it is the same for each.</summary>
public static class Hosts
{
    /// <returns>An address for each host, in the order given.</returns>
    /// <exception cref="FormatException">It is no such address. The message does not repeat it: there may be a password in it.</exception>
    public static IReadOnlyList<Uri> Of(string address)
    {
        var authority = address.IndexOf("://", StringComparison.Ordinal) + 3;
        var end = address.IndexOfAny(['/', '?', '#'], authority) is >= 0 and var found ? found : address.Length;
        var hosts = authority + address[authority..end].LastIndexOf('@') + 1;
        return [.. address[hosts..end].Split(',').Select(host =>
            Uri.TryCreate($"{address[..hosts]}{host.Trim()}{address[end..]}", UriKind.Absolute, out var uri) && uri.Host.Length > 0 ? uri : throw new FormatException("It is no address."))];
    }
}
