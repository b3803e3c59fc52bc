using System.Globalization;

namespace Signup.Query.Pages;

/// <summary>Accounts in one status.</summary>
public sealed record StatusCount(string Status, long Count);

/// <summary>Time as operators read it.</summary>
public static class Moments
{
    /// <summary>To the millisecond, in UTC.</summary>
    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>How much later, in one or two units: 340 ms, 5 s, 2 h 10 min, 3 d 4 h.</summary>
    public static string Later(TimeSpan time) =>
        time < TimeSpan.Zero ? "0 ms"
        : time.TotalSeconds < 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms")
        : time.TotalMinutes < 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s")
        : time.TotalHours < 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s")
        : time.TotalDays < 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Hours} h {time.Minutes} min")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalDays} d {time.Hours} h");
}
