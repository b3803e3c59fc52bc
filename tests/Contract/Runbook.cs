using System.Text.RegularExpressions;

namespace Signup.Tests.Contract;

/// <summary>Whoever is called by an alarm, or sees a custom check fail, finds what to do under its name.</summary>
public partial class the_runbook
{
    private static readonly string[] Folders = ["Endpoints", "Gateway"], Questions = ["*Means:*", "*Look:*", "*Do:*"];

    public static TheoryData<string> Alarms() => [.. Directory.GetFiles(Repository.File("docker", "observability"), "*.yml", SearchOption.AllDirectories).SelectMany(f => AlarmsIn(File.ReadAllText(f)))];

    public static TheoryData<string> Checks() => [.. Folders
        .SelectMany(folder => Directory.GetFiles(Repository.File(folder), "*.cs", SearchOption.AllDirectories))
        .SelectMany(f => ChecksIn(File.ReadAllText(f))).Distinct()];

    [Theory, MemberData(nameof(Alarms))]
    public void says_of_every_alarm_what_it_means_where_to_look_and_what_to_do(string alarm) => Assert.Empty(LeftOpen(alarm, Repository.Read("docs", "runbook.md")));

    [Theory, MemberData(nameof(Checks))]
    public void says_of_every_custom_check_what_it_means_where_to_look_and_what_to_do(string check) => Assert.Empty(LeftOpen($"`{check}`", Repository.Read("docs", "runbook.md")));

    [Theory]
    [InlineData("Planted", "## Other\n\n*Means:* a *Look:* b *Do:* c\n", "there is no section")]
    [InlineData("`planted`", "## Planted\n\n*Means:* a *Look:* b *Do:* c `planted`\n", "there is no section")]
    [InlineData("`planted`", "## Planted (check `planted`)\n\n*Means:* a *Do:* c\n\n## Other\n\n*Look:* b\n", "*Look:*")]
    public void would_be_found_out_if_it_did_not(string name, string runbook, string expected) => Assert.Equal([expected], LeftOpen(name, runbook));

    [Fact]
    public void would_be_asked_for_a_planted_alarm_and_a_planted_check()
    {
        Assert.Equal(["Planted"], AlarmsIn("    rules:\n      - alert: Planted\n        expr: up == 0\n"));
        Assert.Equal(["one", "two"], ChecksIn("services.AddHealthChecks().AddCheck<One>(\"one\"); services.AddProjection<Two>(\"two\"); checks.AddCheck<Lag<T>>(name);"));
    }

    /// <summary>What the section with that word in its heading does not say.</summary>
    private static List<string> LeftOpen(string name, string runbook)
    {
        var section = $"\n{runbook}".Split("\n## ").Skip(1).FirstOrDefault(s => s.Split('\n')[0].Split(' ', ',', '(', ')').Contains(name));
        return section is null ? ["there is no section"] : [.. Questions.Where(q => !section.Contains(q, StringComparison.Ordinal))];
    }

    private static IEnumerable<string> AlarmsIn(string yaml) => Alarm().Matches(yaml).Select(m => m.Groups[1].Value);

    private static IEnumerable<string> ChecksIn(string code) => Check().Matches(code).Select(m => m.Groups[1].Value);

    [GeneratedRegex(@"^\s*- alert: (\w+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Alarm();

    [GeneratedRegex("""\.Add(?:Check|Projection)<\w+>\("([^"]+)"\)""")]
    private static partial Regex Check();
}
