using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Signup.Tests.Integration.Gateway;

/// <summary>What <c>docs/openapi.json</c> says of the gateway. All that any test is answered is held against it.</summary>
public static class ApiDescription
{
    /// <summary>Described elsewhere: by OpenID Connect, by OpenAPI, and for machines that look after machines.</summary>
    private static readonly string[] Others = ["/.well-known/", "/connect/", "/openapi.json", "/health/"];

    public static readonly JsonObject Document = JsonNode.Parse(File.ReadAllText(Path.Combine(Parts.Root, "docs", "openapi.json")))!.AsObject();

    private static readonly (string Method, Regex Path, JsonObject Operation)[] Operations =
    [
        .. from path in Document["paths"]!.AsObject()
           from operation in path.Value!.AsObject()
           select (operation.Key.ToUpperInvariant(), new Regex($"^{Regex.Replace(path.Key, @"\{\w+\}", "[^/]+")}$"), operation.Value!.AsObject()),
    ];

    /// <summary>Of all operations.</summary>
    public static IEnumerable<string> Names => Operations.Select(o => (string)o.Operation["operationId"]!);

    /// <summary>Of the operation that this asks for; null: of none.</summary>
    public static string? NameOf(string method, string path) => (string?)Find(method, path.Split('?')[0])?["operationId"];

    /// <summary>Fails where a program is answered what is not described.</summary>
    public static void Check(Uri gateway, HttpRequestMessage request, Answer answer)
    {
        if (request.RequestUri!.Authority != gateway.Authority) return;
        var (method, path) = (request.Method.Method, request.RequestUri.AbsolutePath);
        // People are answered pages.
        if (request.Headers.Accept.Any(a => a.MediaType == "text/html") || request.Content?.Headers.ContentType?.MediaType == "application/x-www-form-urlencoded") return;
        var operation = Find(method, path);
        var type = answer.ContentHeaders.ContentType?.MediaType ?? "";
        if (operation is null)
        {
            // What there is not is answered, too.
            if (answer.Status < 400 && type.EndsWith("json", StringComparison.Ordinal) && !Others.Any(o => path.StartsWith(o, StringComparison.Ordinal)))
                Assert.Fail($"{method} {path} is answered JSON, and docs/openapi.json does not say that there is such a thing.");
            return;
        }
        // It is there only for who has set a key.
        if (path == "/mail/events" && answer.Status == 404) return;
        var said = operation["responses"]![$"{answer.Status}"];
        Assert.True(said is not null, $"{method} {path} is answered {answer.Status}, of which docs/openapi.json says nothing: {answer.Text}");
        var content = said["content"]?.AsObject();
        if (content is null) Assert.Equal((path, answer.Status, ""), (path, answer.Status, answer.Text));
        else if (content[type]?["schema"] is { } schema) Assert.Empty(Differences(JsonNode.Parse(answer.Text), schema.AsObject(), $"{method} {path} {answer.Status}: "));
        else Assert.Fail($"{method} {path} is answered {answer.Status} as '{type}', and docs/openapi.json says {content.First().Key}.");
    }

    private static JsonObject? Find(string method, string path) => Operations.FirstOrDefault(o => o.Method == method && o.Path.IsMatch(path)).Operation;

    /// <summary>In what a JSON value is not as its schema has it.</summary>
    public static IReadOnlyList<string> Differences(JsonNode? value, JsonObject schema, string at)
    {
        if ((string?)schema["$ref"] is { } reference) return Differences(value, Document["components"]!["schemas"]![reference.Split('/')[^1]]!.AsObject(), at);
        if (schema["oneOf"] is JsonArray some)
            return some.Select(s => Differences(value, s!.AsObject(), at)).FirstOrDefault(d => d.Count == 0) ?? [$"{at} is none of what it may be"];
        var types = schema["type"] switch { null => [], JsonArray several => several.Select(t => (string)t!).ToArray(), var one => [(string)one!] };
        var type = value?.GetValueKind() switch
        {
            null or System.Text.Json.JsonValueKind.Null => "null",
            System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False => "boolean",
            System.Text.Json.JsonValueKind.Number => "integer",
            var kind => $"{kind}".ToLowerInvariant(),
        };
        if (types.Length > 0 && !types.Contains(type)) return [$"{at} is {type}, and not {string.Join(" or ", types)}"];
        if (value is JsonArray items) return [.. items.SelectMany((item, i) => Differences(item, schema["items"]?.AsObject() ?? [], $"{at}[{i}]"))];
        if (value is not JsonObject members || schema["properties"] is not JsonObject properties) return [];
        return
        [
            .. (schema["required"]?.AsArray() ?? []).Select(r => (string)r!).Where(r => !members.ContainsKey(r)).Select(r => $"{at}.{r} is missing"),
            .. members.SelectMany(m => properties[m.Key] is JsonObject property ? Differences(m.Value, property, $"{at}.{m.Key}") : [$"{at}.{m.Key} is not described"]),
        ];
    }
}
