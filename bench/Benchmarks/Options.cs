using System.Globalization;

namespace Signup.Bench;

/// <param name="Parts">What is measured, in this order.</param>
/// <param name="Clients">How many sign up at once.</param>
/// <param name="Scale">Multiplies all counts: 0.1 for a quick look.</param>
/// <param name="Hashing">With password hashing, without, or one after the other.</param>
/// <param name="Output">A file for the figures, as JSON.</param>
public sealed record Options(IReadOnlyList<string> Parts, int Clients, double Scale, IReadOnlyList<bool> Hashing, string Output)
{
    private static readonly string[] All = ["alone", "sign-ups", "mail", "rebuild", "archive", "partitions", "log"];

    /// <exception cref="ArgumentException">Says what is wrong.</exception>
    public static Options Parse(string[] args)
    {
        var options = new Options([], 64, 1, [true, false], "benchmarks.json");
        foreach (var arg in args)
        {
            var (name, value) = arg.Split('=', 2) is [var n, var v] ? (n, v) : (arg, "");
            options = name switch
            {
                _ when All.Contains(arg) => options with { Parts = [.. options.Parts, arg] },
                "--clients" => options with { Clients = int.Parse(value, CultureInfo.InvariantCulture) },
                "--scale" => options with { Scale = double.Parse(value, CultureInfo.InvariantCulture) },
                "--hashing" => options with { Hashing = value switch { "on" => [true], "off" => [false], "both" => [true, false], _ => throw new ArgumentException("--hashing is on, off or both") } },
                "--output" => options with { Output = value },
                _ => throw new ArgumentException($"There is no '{arg}'; there are {string.Join(' ', All)} --clients=64 --scale=1 --hashing=both --output=FILE"),
            };
        }
        return options.Parts.Count > 0 ? options : options with { Parts = All };
    }

    /// <summary>A count, as large as is asked for.</summary>
    public int Scaled(int count) => Math.Max(Clients, (int)(count * Scale));
}
