using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Signup.Hosting.Commands;

/// <summary>Somewhere in the log: at a position, or at a moment.</summary>
public sealed record LogPoint(long? Position, DateTimeOffset? Moment)
{
    public override string ToString() => Position?.ToString(CultureInfo.InvariantCulture) ?? Moment?.ToString("u", CultureInfo.InvariantCulture) ?? "";
}

/// <summary>Options that several commands have.</summary>
public static class LogOptions
{
    /// <summary><c>--account ID</c></summary>
    public static Option<Guid?> Account() => new("--account")
    {
        HelpName = "ID",
        Description = "Of this account alone.",
        CustomParser = given => Guid.TryParse(given.Tokens[0].Value, out var id) ? id : Wrong<Guid?>(given, $"an id such as {Guid.Empty}"),
    };

    /// <summary>A position, such as 100001.</summary>
    public static Option<long?> Position(string name, string description) => new(name)
    {
        HelpName = "POSITION",
        Description = description,
        CustomParser = given => ReadPosition(given.Tokens[0].Value) ?? Wrong<long?>(given, "a position, such as 100001"),
    };

    /// <summary>A position, or a moment in ISO 8601; without an offset it is UTC.</summary>
    public static Option<LogPoint> Point(string name, string description) => new(name)
    {
        HelpName = "POSITION|MOMENT",
        Description = description,
        CustomParser = given => ReadPosition(given.Tokens[0].Value) is { } position ? new LogPoint(position, null)
            : DateTimeOffset.TryParse(given.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? new LogPoint(null, moment)
            : Wrong<LogPoint>(given, "a position, or a moment such as 2026-11-23T10:00:00Z"),
    };

    private static long? ReadPosition(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : null;

    /// <summary>Says what the option must be.</summary>
    internal static T? Wrong<T>(ArgumentResult given, string must)
    {
        given.AddError($"{(given.Parent as OptionResult)?.Option.Name} must be {must}.");
        return default;
    }
}
