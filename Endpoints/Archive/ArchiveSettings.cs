using System.Globalization;
using Signup.Hosting;

namespace Signup.Archive;

/// <summary>Where the archive is, and what goes into a file of it.</summary>
/// <param name="Directory">Absolute. Every process that reads the log must see it at this path. An object store is mounted there, or copied to from there.</param>
/// <param name="EventsPerSegment">A file is closed when it holds so many. Who reads one event reads its file; a process keeps the last four in memory.</param>
/// <param name="MinimumAge">Younger events are not copied yet.</param>
public sealed record ArchiveSettings(string Directory, int EventsPerSegment, TimeSpan MinimumAge)
{
    /// <exception cref="InvalidOperationException">A setting is missing or out of range. Says which.</exception>
    public static ArchiveSettings From(IConfiguration configuration)
    {
        var directory = Path.GetFullPath(SignupEndpoint.Setting(configuration, "Archive:Directory"));
        if (!int.TryParse(SignupEndpoint.Setting(configuration, "Archive:EventsPerSegment"), CultureInfo.InvariantCulture, out var events) || events is < 1 or > 1_000_000)
            throw new InvalidOperationException("Archive:EventsPerSegment must be a number from 1 to 1000000.");
        if (!TimeSpan.TryParse(SignupEndpoint.Setting(configuration, "Archive:MinimumAge"), CultureInfo.InvariantCulture, out var age) || age < TimeSpan.Zero)
            throw new InvalidOperationException("Archive:MinimumAge must be a time such as 30.00:00:00, thirty days.");
        return new ArchiveSettings(directory, events, age);
    }
}
