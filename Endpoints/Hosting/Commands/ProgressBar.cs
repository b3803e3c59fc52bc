using System.Globalization;

namespace Signup.Hosting.Commands;

/// <summary>Shows how far a long command is, how fast, and how long it will still take: a bar on a terminal, a line now and then elsewhere.</summary>
public sealed class ProgressBar(TextWriter output, bool terminal, TimeProvider time, string what) : IDisposable
{
    private const int Width = 30;
    private readonly TimeSpan _interval = terminal ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromSeconds(5);
    private readonly long _started = time.GetTimestamp();
    private long _drawn;
    private long? _first;
    private long _shown = -1;
    private bool _open;

    /// <param name="what">The plural of what is counted, such as <c>events</c>.</param>
    public static ProgressBar OnConsole(string what) => new(Console.Error, !Console.IsErrorRedirected, TimeProvider.System, what);

    /// <param name="done">So far; the first call's count is what was done before, in an earlier run.</param>
    /// <param name="total">In the end; may grow.</param>
    public void Report(long done, long total)
    {
        _first ??= done;
        var last = done >= total;
        if (last && done == _shown) return;
        if (!last && _drawn != 0 && time.GetElapsedTime(_drawn) < _interval) return;
        _drawn = time.GetTimestamp();
        _shown = done;
        var line = Line(done, Math.Max(total, done), done - _first.Value, time.GetElapsedTime(_started), what);
        if (terminal) output.Write($"\r{line}\u001b[K");
        else output.WriteLine(line);
        _open = terminal;
    }

    public void Dispose()
    {
        if (_open) output.WriteLine();
        _open = false;
    }

    /// <param name="doneNow">Of <paramref name="done"/>, what was done in <paramref name="elapsed"/>.</param>
    public static string Line(long done, long total, long doneNow, TimeSpan elapsed, string what)
    {
        var share = total == 0 ? 1 : (double)done / total;
        var full = (int)(share * Width);
        var rate = elapsed > TimeSpan.Zero ? doneNow / elapsed.TotalSeconds : 0;
        var left = done >= total ? $"done in {Duration(elapsed)}"
            : rate > 0 ? $"{Duration(TimeSpan.FromSeconds((total - done) / rate))} left"
            : "time left unknown";
        return string.Create(CultureInfo.InvariantCulture, $"[{new string('#', full)}{new string('.', Width - full)}] {share,4:P0}  {done:N0} of {total:N0} {what}  {rate:N0}/s  {left}");
    }

    private static string Duration(TimeSpan time) =>
        time.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min")
        : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");
}
