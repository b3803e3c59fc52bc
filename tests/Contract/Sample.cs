using System.Text.Json;

namespace Signup.Tests.Contract;

/// <summary>Makes one instance of any message or event, the same one every time.</summary>
internal static class Sample
{
    /// <summary>Fills the record's constructor with values that tell which parameter they belong to.</summary>
    public static object Of(Type record)
    {
        var constructor = record.GetConstructors().Where(c => c.GetParameters() is not [{ } only] || only.ParameterType != record)
            .OrderByDescending(c => c.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select((p, i) => Value(p.ParameterType, p.Name!, i))]);
    }

    private static object Value(Type type, string name, int number) => Nullable.GetUnderlyingType(type) is { } inner ? Value(inner, name, number) : type switch
    {
        _ when type == typeof(string) => $"{name} ä+<>&'\"",
        _ when type == typeof(Guid) => new Guid(number + 1, 0x7000, 0x7000, 0x80, 0, 0, 0, 0, 0, 0, 1),
        _ when type == typeof(int) => number + 1,
        _ when type == typeof(long) => (long)number + 1,
        _ when type == typeof(bool) => true,
        _ when type == typeof(DateTimeOffset) => new DateTimeOffset(2026, 11, 23, 10, 0, number, TimeSpan.Zero).AddTicks(1_234_567),
        _ when type == typeof(JsonElement) => JsonSerializer.SerializeToElement(new { field = name }),
        _ when type.IsEnum => Enum.GetValues(type).GetValue(1)!,
        _ => throw new NotSupportedException($"A field of type {type} in a contract: can every consumer read it? Then say here how a sample of it looks."),
    };
}
