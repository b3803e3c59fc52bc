using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Signup.Messages.Mail;

namespace Signup.Gateway.MailEvents;

/// <summary>What a provider reports of a mail.</summary>
/// <param name="Mail">The mail's Message-ID, or what stands for it.</param>
/// <param name="Reason">The class of the reason, as far as it is known.</param>
/// <param name="At">When it happened; null: it was not said.</param>
public sealed record MailReport(string Mail, MailEvent Event, string? Reason, DateTimeOffset? At);

/// <summary>What was read from a provider's request.</summary>
/// <param name="Reports">Of mails, ours or not.</param>
/// <param name="Passed">How many items say what nobody here needs to know: opened, put off, ….</param>
/// <param name="Unknown">Field names of the first item that is of no shape that is known; null: there is none.</param>
/// <param name="Confirmation">Where the provider wants to have confirmed that it may send reports.</param>
/// <param name="Answer">HTTP status that the provider takes for success.</param>
public sealed record ProviderRequest(IReadOnlyList<MailReport> Reports, int Passed, string? Unknown, Uri? Confirmation, int Answer);

/// <summary>The shapes that mail providers report in, as <c>mail-events.json</c> has them. A path is names of fields, with dots between.</summary>
public sealed class ProviderShapes
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false), new OneOrMany() },
    };

    private readonly IReadOnlyList<Shape> _shapes;

    private ProviderShapes(IReadOnlyList<Shape> shapes) => _shapes = shapes;

    /// <param name="file">For messages.</param>
    /// <exception cref="InvalidOperationException">It is wrong. Says what, and where.</exception>
    public static ProviderShapes Parse(string json, string file)
    {
        try
        {
            var shapes = JsonSerializer.Deserialize<Dictionary<string, Shape>>(json, Json) ?? throw new JsonException("It is empty.");
            foreach (var (name, shape) in shapes)
                if (shape is not { Mail.Length: > 0, Events.Count: > 0 } || shape.Events.Any(e => e is not { When.Count: > 0 }))
                    throw new JsonException($"'{name}' must say in which field the mail's Message-ID is (\"mail\"), and which events there are (\"events\"), each with its \"when\" and \"is\".");
            return new([.. shapes.Values]);
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"{file}: {e.Message}", e);
        }
    }

    /// <summary>Reads what a provider has sent: one event, or an array of them.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public ProviderRequest Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            return Read(root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : [root]);
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("It holds half a character.", e);
        }
    }

    private ProviderRequest Read(IReadOnlyList<JsonElement> items)
    {
        var (reports, passed, answer) = (new List<MailReport>(), 0, StatusCodes.Status202Accepted);
        string? unknown = null;
        Uri? confirmation = null;
        foreach (var item in items)
        {
            if (_shapes.Select(s => Text(item, s.Confirm)).OfType<string>().FirstOrDefault() is { } link && Uri.TryCreate(link, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps)
            {
                confirmation ??= url;
                continue;
            }
            if (Match(item) is not var (shape, @event, mail))
            {
                unknown ??= item.ValueKind == JsonValueKind.Object ? string.Join(", ", item.EnumerateObject().Select(p => p.Name)) : item.ValueKind.ToString();
                continue;
            }
            answer = shape.Answer ?? answer;
            if (shape.Events.FirstOrDefault(e => e.Matches(@event)) is { } rule)
                reports.Add(new(mail, rule.Is, rule.Reason ?? Text(@event, shape.Reason), shape.At.Select(at => Moment(@event, at)).FirstOrDefault(at => at is not null)));
            else passed++;
        }
        return new(reports, passed, unknown, confirmation, answer);
    }

    private (Shape Shape, JsonElement Event, string Mail)? Match(JsonElement item)
    {
        foreach (var shape in _shapes)
        {
            var @event = Unwrap(item, shape.Inside);
            if (Text(@event, shape.Mail) is { Length: > 0 } mail) return (shape, @event, mail);
        }
        return null;
    }

    /// <summary>The event, where it is JSON that another wraps as a text.</summary>
    private static JsonElement Unwrap(JsonElement item, string? path)
    {
        if (Text(item, path) is not { } text) return item;
        try
        {
            using var inner = JsonDocument.Parse(text);
            return inner.RootElement.Clone();
        }
        catch (JsonException)
        {
            return item;
        }
    }

    private static string? Text(JsonElement item, string? path) => path is not null && TryFind(item, path, out var found) && found.ValueKind == JsonValueKind.String ? found.GetString() : null;

    private static bool TryFind(JsonElement item, string path, out JsonElement found)
    {
        found = item;
        foreach (var name in path.Split('.'))
            if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(name, out found)) return false;
        return true;
    }

    /// <summary>ISO 8601, or seconds or milliseconds since 1970.</summary>
    private static DateTimeOffset? Moment(JsonElement item, string path)
    {
        if (!TryFind(item, path, out var found)) return null;
        var text = found.ValueKind switch { JsonValueKind.String => found.GetString()!, JsonValueKind.Number => found.GetRawText(), _ => "" };
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment) ? moment : null;
        const double latest = 253402300799;
        var seconds = number > latest ? number / 1000 : number;
        return seconds is >= 0 and <= latest ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;
    }

    /// <param name="Inside">Path of a text that holds the event as JSON, where it does.</param>
    /// <param name="Confirm">Path of a link by which the receiver confirms that it wants reports.</param>
    /// <param name="Mail">Path of the mail's Message-ID. A report is of this shape where there is such a text.</param>
    /// <param name="Reason">Path of the class of the reason.</param>
    /// <param name="Answer">HTTP status that alone the provider takes for success, where it is not any of 2xx.</param>
    [SuppressMessage("Performance", "CA1812", Justification = "Made by the serializer.")]
    private sealed record Shape(string Mail, IReadOnlyList<Rule> Events, string? Inside = null, string? Confirm = null, string? Reason = null, int? Answer = null)
    {
        /// <summary>Paths of when it happened; the first that is there counts.</summary>
        public IReadOnlyList<string> At { get; init; } = [];
    }

    /// <param name="When">What each of these fields must be.</param>
    [SuppressMessage("Performance", "CA1812", Justification = "Made by the serializer.")]
    private sealed record Rule(IReadOnlyDictionary<string, IReadOnlyList<string>> When, [property: JsonRequired] MailEvent Is, string? Reason = null)
    {
        public bool Matches(JsonElement item) => When.All(w => TryFind(item, w.Key, out var found) && w.Value.Contains(found.ValueKind == JsonValueKind.String ? found.GetString()! : found.GetRawText()));
    }

    /// <summary>A text, a number, true or false stands for a list of it alone.</summary>
    private sealed class OneOrMany : JsonConverter<IReadOnlyList<string>>
    {
        public override IReadOnlyList<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var value = JsonDocument.ParseValue(ref reader);
            return value.RootElement.ValueKind == JsonValueKind.Array ? [.. value.RootElement.EnumerateArray().Select(Scalar)] : [Scalar(value.RootElement)];
        }

        public override void Write(Utf8JsonWriter writer, IReadOnlyList<string> value, JsonSerializerOptions options) => throw new NotSupportedException();

        private static string Scalar(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => throw new JsonException("A text, or a list of texts, must stand here."),
        };
    }
}
