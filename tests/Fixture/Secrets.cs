namespace Signup.Tests.Fixture;

/// <summary>The file <c>docker/parts/secrets</c>: which secrets each process is started with.</summary>
public static class Secrets
{
    private static readonly Dictionary<string, string[]> Lists = File.ReadLines(Path.Combine(Parts.Root, "docker", "parts", "secrets")).Where(line => line is not ['#', ..])
        .Select(line => line.Split(' ')).ToDictionary(names => names[0], names => names[1..]);

    public static IReadOnlyCollection<string> Processes => Lists.Keys;

    public static bool IsSecret(string variable) => Lists.Values.Any(list => Holds(list, variable));

    /// <summary>Whether that process is told: what is no secret all are.</summary>
    public static bool MayKnow(string process, string variable) => !IsSecret(variable) || Holds(Lists[process], variable);

    private static bool Holds(string[] list, string variable) =>
        list.Any(name => name.EndsWith('*') ? variable.StartsWith(name[..^1], StringComparison.OrdinalIgnoreCase) : variable.Equals(name, StringComparison.OrdinalIgnoreCase));
}
