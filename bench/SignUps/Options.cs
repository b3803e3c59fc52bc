using System.Globalization;

namespace Signup.Bench.SignUps;

/// <param name="Clients">How many sign up at once.</param>
/// <param name="Scale">Multiplies all counts: 0.1 for a quick look.</param>
/// <param name="Limit">How long one measurement may take, before what follows from it.</param>
/// <param name="Hashing">With password hashing, without, or one after the other.</param>
/// <param name="Output">A file for the figures, as JSON.</param>
public sealed record Options(int Clients, double Scale, TimeSpan Limit, IReadOnlyList<bool> Hashing, string? Output)
{
    /// <exception cref="ArgumentException">Says what is wrong.</exception>
    public static Options Parse(string[] args)
    {
        var options = new Options(64, 1, TimeSpan.FromSeconds(60), [true, false], null);
        foreach (var arg in args)
        {
            var (name, value) = arg.Split('=', 2) is [var n, var v] ? (n, v) : (arg, "");
            options = name switch
            {
                "--clients" => options with { Clients = int.Parse(value, CultureInfo.InvariantCulture) },
                "--scale" => options with { Scale = double.Parse(value, CultureInfo.InvariantCulture) },
                "--seconds" => options with { Limit = TimeSpan.FromSeconds(double.Parse(value, CultureInfo.InvariantCulture)) },
                "--hashing" => options with { Hashing = value switch { "on" => [true], "off" => [false], "both" => [true, false], _ => throw new ArgumentException("--hashing is on, off or both") } },
                "--output" => options with { Output = value },
                _ => throw new ArgumentException($"There is no option '{name}'; there are --clients=64 --scale=1 --seconds=60 --hashing=both --output=FILE"),
            };
        }
        return options;
    }
}
