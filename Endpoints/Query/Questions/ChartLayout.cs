using System.Globalization;

namespace Signup.Query.Questions;

/// <summary>One column of numbers.</summary>
public sealed record Series(string Name, IReadOnlyList<double> Values);

/// <summary>Where things go in a chart, in units of its view box. Pure, so that pages only draw.</summary>
public sealed class ChartLayout
{
    public const double Width = 720, Height = 320;
    private static readonly double[] CountingSteps = [1, 2, 5, 10];
    private const double Left = 56, Right = 16, Top = 16, Bottom = 40;

    /// <summary>Of a letter of a label, at the most.</summary>
    private const double LetterWidth = 7.2;

    private ChartLayout(IReadOnlyList<string> names, IReadOnlyList<Series> series)
    {
        (Names, Series) = (names, series);
        var highest = series.SelectMany(s => s.Values).DefaultIfEmpty().Max();
        var step = NiceStep(highest / 4);
        Ticks = [.. Enumerable.Range(0, (int)Math.Ceiling(Math.Max(highest, step) / step - 1e-9) + 1).Select(n => n * step)];
    }

    public IReadOnlyList<string> Names { get; }
    public IReadOnlyList<Series> Series { get; }

    /// <summary>From 0 to at least the highest value, in steps that people count in.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <returns>Null where the answer has nothing to draw.</returns>
    public static ChartLayout? Of(Answer answer)
    {
        var numeric = Enumerable.Range(1, Math.Max(0, answer.Columns.Count - 1)).Where(answer.IsNumeric).ToList();
        if (numeric.Count == 0) return null;
        return new ChartLayout([.. answer.Rows.Select(r => Answer.Text(r[0]))],
            [.. numeric.Select(c => new Series(answer.Columns[c], [.. answer.Rows.Select(r => Convert.ToDouble(r[c] ?? 0, CultureInfo.InvariantCulture))]))]);
    }

    public double Y(double value) => Round(Height - Bottom - value / Ticks[^1] * (Height - Top - Bottom));

    /// <summary>The middle of the place that belongs to the name.</summary>
    public double X(int index) => Round(Left + (index + 0.5) * (Width - Left - Right) / Math.Max(1, Names.Count));

    /// <summary>The middle of the name's label: under its place, and whole.</summary>
    public double LabelX(int index) => Math.Min(X(index), Round(Width - Names[index].Length * LetterWidth / 2));

    /// <summary>Series stand side by side in the place that belongs to the name.</summary>
    public (double X, double Width) Bar(int index, int series)
    {
        var place = (Width - Left - Right) / Math.Max(1, Names.Count);
        var width = place * 0.72 / Series.Count;
        return (Round(X(index) - width * Series.Count / 2 + series * width), Round(Math.Max(1, width - 2)));
    }

    public string Line(int series) => string.Join(' ', Series[series].Values.Select((v, i) => $"{Text(X(i))},{Text(Y(v))}"));

    /// <summary>Every so many names have a label, so that they do not run into each other.</summary>
    public int LabelEvery => Math.Max(1, (int)Math.Ceiling(Names.Count * (Names.Select(n => n.Length).DefaultIfEmpty().Max() * LetterWidth + 14) / (Width - Left - Right)));

    /// <summary>Share of the first value, as a funnel shows it; 0 where that is 0.</summary>
    public static double Share(double value, double first) => first > 0 ? value / first : 0;

    public static string Text(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static double Round(double value) => Math.Round(value, 2);

    /// <summary>The smallest of 1, 2, 5 times a power of ten that is not less; 1 at least, as counts are whole.</summary>
    private static double NiceStep(double atLeast)
    {
        if (atLeast <= 1) return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(atLeast)));
        return CountingSteps.Select(f => f * power).First(s => s >= atLeast - 1e-9);
    }
}
