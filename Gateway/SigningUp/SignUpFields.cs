using System.Text.Json;
using Microsoft.Extensions.Primitives;
using Signup.Gateway.Web;

namespace Signup.Gateway.SigningUp;

/// <summary>What someone has filled in, not checked yet. Null where it is missing.</summary>
/// <param name="Malformed">Fields that hold something that is no text at all.</param>
public sealed record SignUpFields(string? Username, string? Email, string? Password, IReadOnlyList<string> Malformed)
{
    public static readonly SignUpFields Empty = new("", "", "", []);

    public static SignUpFields Of(JsonElement json) => Of(Fields.Of(json));

    public static SignUpFields Of(IReadOnlyDictionary<string, StringValues> form) => Of(Fields.Of(form));

    private static SignUpFields Of(Fields fields) => new(fields[Field.Username], fields[Field.Email], fields[Field.Password], [.. Field.All.Where(fields.IsMalformed)]);
}

/// <summary>The names of the fields, in forms, in JSON and in errors.</summary>
public static class Field
{
    public const string Username = "username", Email = "email", Password = "password", CurrentPassword = "current", NewPassword = "new";

    public static readonly IReadOnlyList<string> All = [Username, Email, CurrentPassword, Password, NewPassword];
}
