using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Signup.Hosting.Commands;

/// <summary>How far a long command is.</summary>
/// <param name="Count">Of what there is to do; the first is what was done before, in an earlier run.</param>
/// <param name="Total">In the end; may grow.</param>
public readonly record struct Done(long Count, long Total);

/// <summary>Shows how far a long command is, how fast, and how long it will still take: a bar on a terminal, a line now and then elsewhere.</summary>
public static class ProgressBar
{
    /// <summary>Shows it as long as the work goes on, where errors are written to.</summary>
    /// <param name="what">The plural of what is counted, such as <c>events</c>.</param>
    public static Task<T> ShowAsync<T>(string what, Func<IProgress<Done>, Task<T>> work) =>
        ShowAsync(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }), what, work);

    /// <inheritdoc cref="ShowAsync{T}(string, Func{IProgress{Done}, Task{T}})"/>
    public static async Task ShowAsync(string what, Func<IProgress<Done>, Task> work) => await ShowAsync(what, async progress =>
    {
        await work(progress);
        return true;
    });

    internal static Task<T> ShowAsync<T>(IAnsiConsole console, string what, Func<IProgress<Done>, Task<T>> work)
    {
        var figures = new Figures(what, TimeProvider.System);
        return console.Progress().Columns(new ProgressBarColumn(), new PercentageColumn(), figures).StartAsync(context => work(new Shown(context.AddTask(what), figures, TimeProvider.System)));
    }

    /// <param name="now">Of <paramref name="done"/>, what was done in <paramref name="elapsed"/>.</param>
    internal static string Line(Done done, long now, TimeSpan elapsed, string what)
    {
        var rate = elapsed > TimeSpan.Zero ? now / elapsed.TotalSeconds : 0;
        var left = done.Count >= done.Total ? $"done in {Duration(elapsed)}"
            : rate > 0 ? $"{Duration(TimeSpan.FromSeconds((done.Total - done.Count) / rate))} left"
            : "time left unknown";
        return string.Create(CultureInfo.InvariantCulture, $"{done.Count:N0} of {done.Total:N0} {what}  {rate:N0}/s  {left}");
    }

    private static string Duration(TimeSpan time) =>
        time.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min")
        : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");

    /// <summary>Told at once by whoever works (not, as by <see cref="Progress{T}"/>, some time later), however often; drawn now and then.</summary>
    private sealed class Shown(ProgressTask task, Figures figures, TimeProvider time) : IProgress<Done>
    {
        private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

        private long? _drawn;

        public void Report(Done value)
        {
            figures.Take(value);
            if (value.Count < value.Total && _drawn is { } drawn && time.GetElapsedTime(drawn) < Moment) return;
            _drawn = time.GetTimestamp();
            (task.MaxValue, task.Value) = (Math.Max(value.Total, 1), value.Total == 0 ? 1 : value.Count);
        }
    }

    private sealed class Figures(string what, TimeProvider time) : ProgressColumn
    {
        private readonly Lock _lock = new();
        private readonly long _begun = time.GetTimestamp();
        private Done? _first;
        private Done _done;

        protected override bool NoWrap => true;

        public void Take(Done done)
        {
            lock (_lock)
            {
                _first ??= done;
                _done = done with { Total = Math.Max(done.Total, done.Count) };
            }
        }

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            lock (_lock) return new Text(_first is { } first ? Line(_done, _done.Count - first.Count, time.GetElapsedTime(_begun), what) : what);
        }
    }
}
