using System.Text.Json;
using Microsoft.Extensions.Primitives;

namespace Signup.Gateway.SigningUp;

/// <summary>What someone has filled in, not checked yet. Null where it is missing.</summary>
/// <param name="Malformed">Fields that hold something that is no text at all.</param>
public sealed record SignUpFields(string? Username, string? Email, string? Password, IReadOnlyList<string> Malformed)
{
    public static readonly SignUpFields Empty = new("", "", "", []);

    public static SignUpFields Of(JsonElement json)
    {
        var malformed = new List<string>();
        return new SignUpFields(Text(Field.Username), Text(Field.Email), Text(Field.Password), malformed);

        string? Text(string name)
        {
            if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
            if (value.ValueKind == JsonValueKind.String)
            {
                try
                {
                    return value.GetString();
                }
                catch (InvalidOperationException)
                {
                    // An escape such as \ud800 alone: half a character.
                }
            }
            malformed.Add(name);
            return null;
        }
    }

    public static SignUpFields Of(IReadOnlyDictionary<string, StringValues> form) =>
        new(Text(form, Field.Username), Text(form, Field.Email), Text(form, Field.Password), [.. Field.All.Where(f => form.TryGetValue(f, out var v) && v.Count > 1)]);

    private static string? Text(IReadOnlyDictionary<string, StringValues> form, string name) => form.TryGetValue(name, out var values) && values.Count == 1 ? values[0] : null;
}

/// <summary>The names of the fields, in forms, in JSON and in errors.</summary>
public static class Field
{
    public const string Username = "username", Email = "email", Password = "password";

    public static readonly IReadOnlyList<string> All = [Username, Email, Password];
}
