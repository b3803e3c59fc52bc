using System.Text.RegularExpressions;

namespace Signup.Tests.Contract;

/// <summary>What Prometheus and Grafana are asked for, against what the code measures.</summary>
public partial class the_alarms_and_the_dashboard
{
    private static readonly string[] Folders = ["Endpoints", "Gateway"], Projections = ["query", "statistics"];

    public static TheoryData<string> Files() =>
        [.. Directory.GetFiles(Repository.File("docker", "observability"), "*", SearchOption.AllDirectories).Where(f => f.EndsWith(".yml", StringComparison.Ordinal) || f.EndsWith(".json", StringComparison.Ordinal))
            .Select(f => Path.GetRelativePath(Repository.Root, f)).Where(f => Asked(Repository.Read(f)).Any())];

    [Theory, MemberData(nameof(Files))]
    public void ask_for_metrics_that_there_are(string file) => Assert.Empty(Asked(Repository.Read(file)).Except(Measured()));

    [Fact]
    public void would_be_found_out_if_they_asked_for_another() => Assert.Equal(["signup_nothing_total"], Asked("rate(signup_nothing_total[1m]) + signup_sign_ups_total").Except(Measured()));

    private static IEnumerable<string> Asked(string text) => Metric().Matches(text).Select(m => m.Value).Where(m => m != "signup_outcome")
        .Select(m => Regex.Replace(m, "_(bucket|sum|count)$", "")).Distinct();

    /// <summary>By the rules of OpenTelemetry's "Prometheus and OpenMetrics Compatibility", Metric Metadata: dots become underscores, the unit a suffix, and a counter ends in total.</summary>
    private static HashSet<string> Measured() => [.. Folders
        .SelectMany(folder => Directory.GetFiles(Repository.File(folder), "*.cs", SearchOption.AllDirectories))
        .SelectMany(f => Instrument().Matches(File.ReadAllText(f)))
        .SelectMany(m => m.Groups["name"].Value.Contains('{', StringComparison.Ordinal)
            // A projection's, named by its process.
            ? Projections.Select(process => Name(m, m.Groups["name"].Value.Replace("{identity.Name}", process, StringComparison.Ordinal)))
            : [Name(m, m.Groups["name"].Value)])];

    private static string Name(Match instrument, string name)
    {
        name = name.Replace('.', '_');
        if (instrument.Groups["unit"].Value == "s" && !name.EndsWith("_seconds", StringComparison.Ordinal)) name += "_seconds";
        return instrument.Groups["kind"].Value.EndsWith("Counter", StringComparison.Ordinal) ? name + "_total" : name;
    }

    [GeneratedRegex(@"signup_\w+")]
    private static partial Regex Metric();

    [GeneratedRegex("""Create(?<kind>\w+?)(<\w+>)?\(\$?"(?<name>signup\.[^"]+)"([^;\n]*?, "(?<unit>s|By|\{[^"}]+\})")?""")]
    private static partial Regex Instrument();
}
