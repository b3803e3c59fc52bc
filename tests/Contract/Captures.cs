using System.Text.Json;
using System.Text.RegularExpressions;
using RabbitMQ.Client;

namespace Signup.Tests.Contract;

/// <summary>Messages captured from real NServiceBus endpoints and a real ServiceControl.</summary>
internal sealed record Captured(string Address, IReadOnlyDictionary<string, string> Properties, IReadOnlyDictionary<string, string> Headers, string Payload)
{
    private static readonly JsonElement All = JsonDocument.Parse(Repository.Read("tests", "Contract", "vectors", "captures.json")).RootElement;

    public static Captured Get(string name)
    {
        var capture = All.GetProperty(name);
        return new(capture.GetProperty("address").GetString()!, Texts("properties"), Texts("headers"), capture.GetProperty("payload").GetString()!);

        Dictionary<string, string> Texts(string part) => capture.GetProperty(part).EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ToString());
    }

    /// <summary>As the RabbitMQ client hands it over: header values are bytes.</summary>
    public BasicProperties AsReceived() => new()
    {
        MessageId = Properties.GetValueOrDefault("message_id"),
        CorrelationId = Properties.GetValueOrDefault("correlation_id"),
        ReplyTo = Properties.GetValueOrDefault("reply_to"),
        Type = Properties.GetValueOrDefault("type"),
        ContentType = Properties.GetValueOrDefault("content_type"),
        Persistent = true,
        Headers = Headers.ToDictionary(h => h.Key, h => (object?)System.Text.Encoding.UTF8.GetBytes(h.Value)),
    };
}

/// <summary>What kind of text a header's value is: two messages of the same kind have the same shapes under the same names.</summary>
internal static partial class Shape
{
    public static string Of(string? value) => value switch
    {
        null => "(nothing)",
        "" => "(empty)",
        _ when WireDate().IsMatch(value) => "wire date",
        _ when Guid.TryParseExact(value, "N", out _) => "guid, 32 digits",
        _ when Guid.TryParseExact(value, "D", out _) => "guid",
        _ when TypeNames().IsMatch(value) => "assembly-qualified types",
        _ when FullName().IsMatch(value) => "full type name",
        "Send" or "Publish" or "Reply" or "application/json" or "application/octet-stream" or "True" or "False" or "2" => value,
        _ => "text",
    };

    public static SortedDictionary<string, string> Of(IEnumerable<KeyValuePair<string, string>> values) =>
        new(values.ToDictionary(v => v.Key, v => Of(v.Value)), StringComparer.Ordinal);

    /// <summary>Of a message as it is handed to the RabbitMQ client; property names as in the captures.</summary>
    public static SortedDictionary<string, string> Of(BasicProperties p) => Of(new Dictionary<string, string?>
    {
        ["message_id"] = p.MessageId, ["correlation_id"] = p.CorrelationId, ["reply_to"] = p.ReplyTo, ["type"] = p.Type, ["content_type"] = p.ContentType,
        ["delivery_mode"] = ((int)p.DeliveryMode).ToString(System.Globalization.CultureInfo.InvariantCulture), ["expiration"] = p.Expiration,
    }.Where(v => v.Value is not null).Select(v => KeyValuePair.Create(v.Key, v.Value!)));

    /// <summary>Fails where they differ, and shows every name and kind.</summary>
    public static void Same(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual) =>
        Assert.Equal(string.Join('\n', expected.Select(e => $"{e.Key}: {e.Value}")), string.Join('\n', actual.Select(a => $"{a.Key}: {a.Value}")));

    public static SortedDictionary<string, string> OfHeaders(BasicProperties p) => Of(p.Headers!.Select(h => KeyValuePair.Create(h.Key, (string)h.Value!)));

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{6} Z$")]
    private static partial Regex WireDate();

    [GeneratedRegex(@"^[\w.]+, [\w.]+, Version=\d+\.\d+\.\d+\.\d+, Culture=neutral, PublicKeyToken=null(;[\w.]+, [\w.]+, Version=\d+\.\d+\.\d+\.\d+, Culture=neutral, PublicKeyToken=null)*$")]
    private static partial Regex TypeNames();

    [GeneratedRegex(@"^\w+(\.\w+){2,}$")]
    private static partial Regex FullName();
}
