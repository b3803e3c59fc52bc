using Signup.Query.Pages;
using Signup.Query.Questions;

namespace Signup.Tests.Unit.Query;

public sealed class drawing_an_answer
{
    [Theory]
    [InlineData(0, new double[] { 0, 1 })]
    [InlineData(3, new double[] { 0, 1, 2, 3 })]
    [InlineData(9, new double[] { 0, 5, 10 })]
    [InlineData(107, new double[] { 0, 50, 100, 150 })]
    [InlineData(80_000, new double[] { 0, 20_000, 40_000, 60_000, 80_000 })]
    public void counts_in_steps_that_people_count_in(long highest, double[] ticks) => Assert.Equal(ticks, Layout([["a", highest]]).Ticks);

    [Fact]
    public void places_values_between_the_axis_and_the_top()
    {
        var layout = Layout([["a", 0L], ["b", 100L]]);
        Assert.Equal(280, layout.Y(0));
        Assert.Equal(16, layout.Y(100));
        Assert.True(layout.X(0) < layout.X(1));
        Assert.Equal("218,280 542,16", layout.Line(0).Replace(".0", "", StringComparison.Ordinal));
    }

    [Fact]
    public void sets_bars_side_by_side()
    {
        var layout = ChartLayout.Of(new Answer(["day", "x", "y"], [["a", 1L, 2L], ["b", 3L, 4L]]))!;
        var bars = new[] { (0, 0), (0, 1), (1, 0), (1, 1) }.Select(b => layout.Bar(b.Item1, b.Item2)).ToList();
        foreach (var (left, right) in bars.Zip(bars.Skip(1))) Assert.True(left.X + left.Width <= right.X);
    }

    [Fact]
    public void leaves_out_labels_that_would_run_into_each_other()
    {
        Assert.Equal(1, Layout([.. Enumerable.Range(0, 5).Select(n => new object?[] { $"2026-11-{n:00}", 1L })]).LabelEvery);
        Assert.Equal(4, Layout([.. Enumerable.Range(0, 28).Select(n => new object?[] { $"2026-11-{n:00}", 1L })]).LabelEvery);
    }

    [Fact]
    public void cuts_no_label_off()
    {
        var layout = Layout([.. Enumerable.Range(1, 29).Select(n => new object?[] { $"2026-11-{n:00}", 1L })]);
        Assert.Equal(layout.X(0), layout.LabelX(0));
        Assert.InRange(layout.LabelX(28), layout.X(26), ChartLayout.Width - 36);
    }

    [Fact]
    public void draws_columns_of_numbers_only()
    {
        var layout = ChartLayout.Of(new Answer(["day", "note", "x"], [["a", "text", 1L]]))!;
        Assert.Equal(["x"], layout.Series.Select(s => s.Name));
        Assert.Null(ChartLayout.Of(new Answer(["day", "note"], [["a", "text"]])));
        Assert.Null(ChartLayout.Of(new Answer(["day", "x"], [])));
    }

    [Theory]
    [InlineData(1, 4, 0.25)]
    [InlineData(1, 0, 0)]
    public void shows_a_share_of_the_first(double value, double first, double share) => Assert.Equal(share, ChartLayout.Share(value, first));

    [Fact]
    public void reads_what_a_question_says_of_itself()
    {
        var question = Question.Parse("how-many", "-- title: How many\n-- asks: How many are there?\n-- chart: bars\nselect 1 -- not: a header");
        Assert.Equal(("how-many", "How many", "How many are there?", ChartKind.Bars), (question.Name, question.Title, question.Asks, question.Chart));
        Assert.Null(question.Note);
    }

    [Theory]
    [InlineData("-- asks: x\nselect 1", "title")]
    [InlineData("-- title: x\nselect 1", "asks")]
    [InlineData("-- title: x\n-- asks: x\n-- chart: pie\nselect 1", "Bars")]
    public void refuses_a_question_that_does_not_say_what_it_is(string text, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => Question.Parse("q", text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0.34, "340 ms")]
    [InlineData(5, "5 s")]
    [InlineData(125, "2 min 5 s")]
    [InlineData(7_900, "2 h 11 min")]
    [InlineData(273_600, "3 d 4 h")]
    [InlineData(-1, "0 ms")]
    public void tells_time_in_units_people_use(double seconds, string text) => Assert.Equal(text, Moments.Later(TimeSpan.FromSeconds(seconds)));

    private static ChartLayout Layout(object?[][] rows) => ChartLayout.Of(new Answer(["name", "value"], rows))!;
}
