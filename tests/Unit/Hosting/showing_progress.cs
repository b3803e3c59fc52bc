using System.Globalization;
using System.Text.RegularExpressions;
using Signup.Hosting.Commands;
using Spectre.Console;

namespace Signup.Tests.Unit.Hosting;

public sealed partial class showing_progress
{
    [Fact]
    public void tells_rate_and_time_left() => Assert.Equal("250 of 1,000 events  125/s  6.0 s left", ProgressBar.Line(new(250, 1_000), 250, TimeSpan.FromSeconds(2), "events"));

    [Fact]
    public void counts_what_an_earlier_run_did_as_done_but_not_as_speed() =>
        Assert.EndsWith("100/s  50.0 s left", ProgressBar.Line(new(5_000, 10_000), 1_000, TimeSpan.FromSeconds(10), "events"), StringComparison.Ordinal);

    [Fact]
    public void says_how_long_it_took_in_the_end() =>
        Assert.EndsWith("done in 1 min 5 s", ProgressBar.Line(new(10, 10), 10, TimeSpan.FromSeconds(65), "events"), StringComparison.Ordinal);

    [Fact]
    public void knows_no_time_left_before_anything_is_done() =>
        Assert.EndsWith("time left unknown", ProgressBar.Line(new(0, 10), 0, TimeSpan.FromSeconds(1), "events"), StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public async Task on_a_terminal_ends_with_the_last_state(int total)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, Interactive = InteractionSupport.Yes, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 200;
        Assert.Equal(7, await ProgressBar.ShowAsync(console, "events", progress =>
        {
            for (var n = 0; n <= total; n++) progress.Report(new(n, total));
            return Task.FromResult(7);
        }));
        Assert.Matches($@"100%\s+{total} of {total} events .* done in", Escapes().Replace(output.ToString(), ""));
    }

    /// <summary>What moves the cursor and colours.</summary>
    [GeneratedRegex(@"\x1b\[[^A-Za-z]*[A-Za-z]")]
    private static partial Regex Escapes();
}
