using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Signup.Gateway.OpenId;

[JsonConverter(typeof(JsonStringEnumConverter<Consent>))]
public enum Consent
{
    /// <summary>A person is asked each time whether the application may know who they are.</summary>
    [JsonStringEnumMemberName("systematic")] Systematic,

    /// <summary>Nobody is asked: the application is one of the house.</summary>
    [JsonStringEnumMemberName("implicit")] Implicit,
}

/// <summary>An application that may let its users in with their accounts here.</summary>
/// <param name="Id">1 to 64 letters, digits, and <c>-._~</c>.</param>
/// <param name="Name">As people are shown it.</param>
/// <param name="RedirectUris">Where people may be sent back to. Compared as texts (RFC 9700, 4.1.3).</param>
/// <param name="SecretSha256">SHA-256 of its secret, 64 hexadecimal digits; null: it runs where it could keep none, on people's own devices.</param>
public sealed record OpenIdClient(string Id, string Name, IReadOnlyList<string> RedirectUris, string? SecretSha256 = null, Consent Consent = Consent.Systematic)
{
    /// <summary>Whose forms may lead there, as a content security policy has it.</summary>
    [JsonIgnore]
    public IEnumerable<string> FormTargets => RedirectUris.Select(u => new Uri(u)).Select(u => u.Scheme is "http" or "https" ? u.GetLeftPart(UriPartial.Authority) : $"{u.Scheme}:").Distinct();

    /// <summary>One that has no secret sends none.</summary>
    public bool HasSecret(string? secret) => SecretSha256 is null
        ? string.IsNullOrEmpty(secret)
        : CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(secret ?? "")), Convert.FromHexString(SecretSha256));
}

/// <summary>The applications that the file has which <see cref="Setting"/> names.</summary>
public sealed class OpenIdClients
{
    public const string Setting = "OpenId:ClientsFile";

    private const int LongestId = 64, LongestName = 80;

    public static readonly OpenIdClients None = new([]);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false,
    };

    private readonly Dictionary<string, OpenIdClient> _clients;

    private OpenIdClients(IEnumerable<OpenIdClient> clients) => _clients = clients.ToDictionary(c => c.Id, StringComparer.Ordinal);

    public OpenIdClient? Find(string? id) => id is null ? null : _clients.GetValueOrDefault(id);

    /// <returns>None where no file is named.</returns>
    /// <exception cref="InvalidOperationException">It is not there, or wrong. Says what, and where.</exception>
    public static OpenIdClients In(IConfiguration settings)
    {
        if (settings[Setting] is not { Length: > 0 } name) return None;
        var file = Path.Combine(AppContext.BaseDirectory, name);
        return Parse(File.Exists(file) ? File.ReadAllText(file) : throw new InvalidOperationException($"{file}: there is no such file. The setting {Setting} names it."), file);
    }

    /// <param name="file">For messages.</param>
    /// <exception cref="InvalidOperationException">It is wrong. Says what, and where.</exception>
    public static OpenIdClients Parse(string json, string file)
    {
        try
        {
            var clients = JsonSerializer.Deserialize<ClientsFile>(json, Json)?.Clients ?? [];
            if (clients.Count == 0) throw new JsonException("It must have at least one application, in the list \"clients\".");
            foreach (var client in clients) Check(client);
            if (clients.CountBy(c => c.Id, StringComparer.Ordinal).FirstOrDefault(c => c.Value > 1) is { Key: { } twice }) throw new JsonException($"There are two applications with the id '{twice}'.");
            return new(clients);
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"{file}: {e.Message}", e);
        }
    }

    private static void Check(OpenIdClient? client)
    {
        if (client is not { Id.Length: > 0 and <= LongestId } || !client.Id.All(c => char.IsAsciiLetterOrDigit(c) || "-._~".Contains(c)))
            throw new JsonException($"An application must have an \"id\" of 1 to {LongestId} letters, digits, and the signs - . _ ~.");
        if (string.IsNullOrWhiteSpace(client.Name) || client.Name.Length > LongestName) throw Wrong($"must have a \"name\" of 1 to {LongestName} characters, which people are shown");
        if (client.RedirectUris is not { Count: > 0 }) throw Wrong("must have \"redirectUris\", where people are sent back to");
        foreach (var uri in client.RedirectUris.Where(u => !IsRedirect(u)))
            throw Wrong($"cannot have '{uri}' in its \"redirectUris\": there, addresses stand that begin with https://, with http:// and then localhost or 127.0.0.1, or with a scheme of the application's own that has a dot in it, and none with a #");
        if (client.SecretSha256 is { } hash && (hash.Length != 2 * SHA256.HashSizeInBytes || !hash.All(char.IsAsciiHexDigit)))
            throw Wrong("must have as \"secretSha256\" 64 hexadecimal digits, as `printf %s \"$secret\" | sha256sum` makes them, or none");

        JsonException Wrong(string what) => new($"The application '{client.Id}' {what}.");
    }

    /// <summary>No scheme that runs something in the browser; those of programs have a dot (RFC 8252, 7.1).</summary>
    private static bool IsRedirect(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.OriginalString == text && !text.Contains('#') && uri.UserInfo.Length == 0 && !text.Any(c => char.IsWhiteSpace(c) || c is ';' or ',')
        && uri.Scheme switch { "https" => true, "http" => uri.Host is "localhost" or "127.0.0.1", var scheme => scheme.Contains('.') };

    [SuppressMessage("Performance", "CA1812", Justification = "Made by the serializer.")]
    private sealed record ClientsFile(IReadOnlyList<OpenIdClient> Clients);
}
