using System.Globalization;
using Signup.Hosting.Commands;

namespace Signup.Tests.Unit.Query;

public sealed class showing_progress
{
    [Fact]
    public void tells_share_rate_and_time_left() =>
        Assert.Equal("[#######.......................] 25 %  250 of 1,000 events  125/s  6.0 s left",
            ProgressBar.Line(250, 1_000, 250, TimeSpan.FromSeconds(2), "events"));

    [Fact]
    public void counts_what_an_earlier_run_did_as_done_but_not_as_speed() =>
        Assert.Contains("100/s  50.0 s left", ProgressBar.Line(5_000, 10_000, 1_000, TimeSpan.FromSeconds(10), "events"), StringComparison.Ordinal);

    [Fact]
    public void says_how_long_it_took_in_the_end() =>
        Assert.EndsWith("done in 1 min 5 s", ProgressBar.Line(10, 10, 10, TimeSpan.FromSeconds(65), "events"), StringComparison.Ordinal);

    [Fact]
    public void knows_no_time_left_before_anything_is_done() =>
        Assert.EndsWith("time left unknown", ProgressBar.Line(0, 10, 0, TimeSpan.FromSeconds(1), "events"), StringComparison.Ordinal);

    [Fact]
    public void is_a_whole_bar_for_nothing_to_do() => Assert.StartsWith($"[{new string('#', 30)}]", ProgressBar.Line(0, 0, 0, TimeSpan.Zero, "events"), StringComparison.Ordinal);

    [Fact]
    public void writes_the_last_state_whatever_the_pace()
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using (var bar = new ProgressBar(output, terminal: false, TimeProvider.System, "events"))
            for (var n = 0; n <= 100; n++) bar.Report(n, 100);
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Contains("100 of 100 events", lines[1], StringComparison.Ordinal);
    }
}
