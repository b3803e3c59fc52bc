using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Signup.Hosting.Operations;

/// <summary>Keeps people's data from operators' eyes and tools.</summary>
public static partial class Masking
{
    public const string Mask = "•••";

    /// <summary>Fields whose text is the system's own. What is not named here is somebody's.</summary>
    private static readonly HashSet<string> Harmless = new(StringComparer.OrdinalIgnoreCase) { "type", "event", "outcome", "purpose", "reason", "constraint", "language", "status", "act", "queue", "messageType" };

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true };

    /// <summary>A body with every text masked but ids, moments, and what the system itself says. What is no JSON is masked whole.</summary>
    public static string MaskBody(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            return Masked(JsonNode.Parse(ref reader), null)?.ToJsonString(Readable) ?? "null";
        }
        catch (JsonException)
        {
            return $"({body.Length.ToString(CultureInfo.InvariantCulture)} bytes that are no JSON)";
        }
    }

    /// <summary>A text that may quote somebody's data, such as an exception's.</summary>
    public static string MaskText(string text) => Quoted().Replace(Address().Replace(text, $"{Mask}@{Mask}"), m => $"{m.Groups[1].Value}({Mask}");

    private static JsonNode? Masked(JsonNode? node, string? name) => node switch
    {
        JsonObject many => new JsonObject(many.Select(p => KeyValuePair.Create(p.Key, Masked(p.Value, p.Key)))),
        JsonArray many => new JsonArray([.. many.Select(n => Masked(n, name))]),
        JsonValue value when value.TryGetValue<string>(out var text) => IsHarmless(name, text) ? JsonValue.Create(text) : JsonValue.Create(Mask),
        _ => node?.DeepClone(),
    };

    private static bool IsHarmless(string? name, string text) => text.Length == 0 || Guid.TryParse(text, out _) || (name is not null && Harmless.Contains(name))
        || (Date().IsMatch(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _));

    internal static byte[] MaskBytes(ReadOnlySpan<byte> body) => Encoding.UTF8.GetBytes(MaskBody(body));

    [GeneratedRegex(@"[^\s@<>""'(),:;=]+@[^\s@<>""'(),:;=]+")]
    private static partial Regex Address();

    /// <summary>PostgreSQL quotes the values of a row: <c>Key (email)=(…)</c>, <c>Failing row contains (…)</c>.</summary>
    [GeneratedRegex(@"(\)=|contains )\([^)]*")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$")]
    private static partial Regex Date();
}
