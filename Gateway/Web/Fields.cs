using System.Text.Json;
using Microsoft.Extensions.Primitives;
using Signup.Gateway.SigningUp;

namespace Signup.Gateway.Web;

/// <summary>What someone has filled in, not checked yet: a form, or a JSON object.</summary>
public sealed class Fields
{
    public static readonly Fields None = new(_ => (null, false));

    private readonly Func<string, (string? Text, bool IsMalformed)> _read;

    private Fields(Func<string, (string?, bool)> read) => _read = read;

    public static Fields Of(JsonElement json) => new(name => Read(json, name));

    public static Fields Of(IReadOnlyDictionary<string, StringValues> form) => new(name => form.TryGetValue(name, out var values) ? values.Count == 1 ? (values[0], false) : (null, true) : (null, false));

    /// <summary>By the name of the field; null where it is missing, or no text.</summary>
    public string? this[string name] => _read(name).Text;

    /// <summary>It is there, and holds something that is no text at all.</summary>
    public bool IsMalformed(string name) => _read(name).IsMalformed;

    /// <summary>What is wrong with a field; null: nothing.</summary>
    /// <param name="check">What is wrong with a text, or with none.</param>
    public FieldError? Check(string name, Func<string?, Fault?> check) => (IsMalformed(name) ? Fault.NotText : check(this[name])) is { } fault ? new(name, fault) : null;

    /// <summary>Of a form, or of JSON, as the request says.</summary>
    public static async Task<(Fields Fields, BodyFault? Fault)> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (Body.IsForm(request))
        {
            var (form, formFault) = await Body.ReadFormAsync(request, cancellation);
            return (Of(form), formFault);
        }
        var (json, fault) = await Body.ReadJsonAsync(request, cancellation);
        return (fault is null ? Of(json) : None, fault);
    }

    private static (string? Text, bool IsMalformed) Read(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return (null, false);
        try
        {
            return value.ValueKind == JsonValueKind.String ? (value.GetString(), false) : (null, true);
        }
        catch (InvalidOperationException)
        {
            // An escape such as \ud800 alone: half a character.
            return (null, true);
        }
    }
}
