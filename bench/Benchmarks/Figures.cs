using System.Text.Json;
using System.Text.Json.Serialization;

namespace Signup.Bench;

/// <summary>One figure of a run.</summary>
/// <param name="Bound">What it has to be; null: nothing is promised.</param>
/// <param name="Holds">Whether it is that.</param>
public sealed record Figure(string Part, string What, double Value, string Unit, string? Bound, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Holds);

/// <summary>What a run has measured: as it comes, and in the end as a table and as JSON.</summary>
public sealed class Figures
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly List<Figure> _all = [];

    /// <summary>How many do not hold.</summary>
    public int Failed => _all.Count(f => f.Holds == false);

    public void Add(string part, string what, double value, string unit = "") => Keep(new(part, what, value, unit, null, null));

    public void AtMost(string part, string what, double value, double bound, string unit = "") => Keep(new(part, what, value, unit, $"≤ {bound}", value <= bound));

    public void AtLeast(string part, string what, double value, double bound, string unit = "") => Keep(new(part, what, value, unit, $"≥ {bound}", value >= bound));

    /// <summary>As Markdown.</summary>
    public void Print()
    {
        Console.WriteLine($"{Environment.NewLine}{Machine.Description}, {DateTime.UtcNow:yyyy-MM-dd}{Environment.NewLine}");
        Console.WriteLine("| | measured | target |");
        Console.WriteLine("| --- | --- | --- |");
        foreach (var f in _all) Console.WriteLine($"| {f.Part}: {f.What} | {Format(f)} | {f.Bound}{(f.Holds == false ? ", missed" : "")} |");
    }

    public Task WriteAsync(string file) => File.WriteAllTextAsync(file, JsonSerializer.Serialize(new { takenAt = DateTimeOffset.UtcNow, machine = Machine.Description, figures = _all }, Json));

    private void Keep(Figure figure)
    {
        _all.Add(figure);
        Console.WriteLine($"  {figure.What}: {Format(figure)}{(figure.Holds == false ? $", which is not {figure.Bound}" : "")}");
    }

    private static string Format(Figure f) => $"{(Math.Abs(f.Value) < 100 ? $"{f.Value:0.##}" : $"{f.Value:#,0}")} {f.Unit}".TrimEnd();
}
