using System.Globalization;
using Signup.EventLog.Archiving;
using Signup.Hosting;

namespace Signup.Archive;

/// <param name="PositionsPerFile">Of the log: a file holds what has one of so many that follow each other.</param>
public sealed record ArchiveSettings(ArchiveTarget Target, long PositionsPerFile)
{
    /// <exception cref="InvalidOperationException">A setting is missing, or out of range. Says which.</exception>
    public static ArchiveSettings From(IConfiguration configuration) => new(TargetOf(configuration), PositionsIn(configuration));

    /// <inheritdoc cref="From"/>
    public static ArchiveTarget TargetOf(IConfiguration configuration) => new(Settings.Required(configuration, "Archive:Target"));

    private static long PositionsIn(IConfiguration configuration)
    {
        const string setting = "Archive:PositionsPerFile";
        return long.TryParse(Settings.Required(configuration, setting), NumberStyles.None, CultureInfo.InvariantCulture, out var positions) && positions is >= 1 and <= 1_000_000
            ? positions
            : throw new InvalidOperationException($"The setting {setting} must be a number from 1 to 1000000; it is '{configuration[setting]}'.");
    }
}
