using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;
using Signup.Hosting;

namespace Signup.Tests.Contract;

/// <summary>What a reader is told to open, or to type, is there.</summary>
public sealed partial class what_a_document_says
{
    public static TheoryData<string> Documents() => [.. Directory.GetFiles(Repository.Root, "*.md")
        .Concat(Folders.SelectMany(folder => Directory.GetFiles(Repository.File(folder), "*.md", SearchOption.AllDirectories)))
        .Select(path => Path.GetRelativePath(Repository.Root, path)).Where(path => !path.Contains("/bin/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static readonly string[] Folders = ["bench", "docker", "docs", "Endpoints", "Gateway", "Messages", "tests"];

    [Theory, MemberData(nameof(Documents))]
    public void links_to_what_is_there(string document) => Assert.Empty(DeadLinks(Repository.Read(document), Path.GetDirectoryName(Repository.File(document))!));

    [Fact]
    public void links_to_what_is_there_finds_a_planted_dead_link() =>
        Assert.Equal(["nowhere/Nothing.cs", "README.md#nowhere", "#there"],
            DeadLinks("# It is *here*, `too`\n[a](nowhere/Nothing.cs) [b](Messages/Messages.csproj#L1) [c](https://example.org/x) [d](#it-is-here-too) [e](README.md#the-api) [f](README.md#nowhere) [g](#there)", Repository.Root));

    [Theory, MemberData(nameof(Documents))]
    public void names_paths_that_are_there(string document) => Assert.Empty(DeadPaths(Repository.Read(document)));

    [Fact]
    public void names_paths_that_are_there_finds_a_planted_dead_path() => Assert.Equal(["docs/nothing.md"], DeadPaths("`docs/nothing.md`, `docker/provision up`, `tests/`, `docker/compose.yml`"));

    [Theory, MemberData(nameof(Documents))]
    public void names_commands_that_there_are(string document) => Assert.Empty(DeadCommands(Repository.Read(document)));

    [Fact]
    public void names_commands_that_there_are_finds_planted_dead_ones() =>
        Assert.Equal(["Nobody", "Query bisect", "Query export --too", "./run --anew", "./test everything"],
            DeadCommands("`./run Nobody`, `./run Query bisect`, `./run Query export [--to FILE] [--too FILE]`, `./run Mail --help`, `./run Query`, `./run --anew`, `./run demo`, `./test everything`, `./test chaos`"));

    private static List<string> DeadLinks(string markdown, string folder) => [.. Link().Matches(markdown).Select(m => m.Groups[1].Value)
        .Where(l => !l.Contains("://", StringComparison.Ordinal) && !l.StartsWith("mailto:", StringComparison.Ordinal)).Where(l => !Leads(l, markdown, folder))];

    private static bool Leads(string link, string markdown, string folder)
    {
        var (file, place) = (Path.Combine(folder, link.Split('#')[0]), link.Split('#').ElementAtOrDefault(1));
        if (!link.StartsWith('#') && !Path.Exists(file)) return false;
        if (place is null || !(link.StartsWith('#') || file.EndsWith(".md", StringComparison.Ordinal))) return true;
        return Heading().Matches(link.StartsWith('#') ? markdown : File.ReadAllText(file)).Any(h => PlaceOf(h.Groups[1].Value) == place);
    }

    /// <summary>A heading's address, as GitHub makes it.</summary>
    private static string PlaceOf(string heading) => string.Concat(heading.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    private static List<string> DeadPaths(string markdown) => [.. PathSpan().Matches(markdown).Select(m => m.Groups[1].Value).Where(path => !Path.Exists(Repository.File(path)))];

    private static List<string> DeadCommands(string markdown)
    {
        var found = new List<string>();
        foreach (Match typed in EndpointCommand().Matches(markdown))
        {
            var (endpoint, command) = (typed.Groups[1].Value, typed.Groups[2].Value);
            if (ProgramOf(endpoint) is not { } program) found.Add(endpoint);
            else if (command.Length == 0) continue;
            else if (CommandsOf(endpoint, program).Find(c => c.Name == command) is not { } known) found.Add($"{endpoint} {command}");
            else found.AddRange(OptionName().Matches(typed.Groups[3].Value).Select(m => m.Value).Where(o => o != "--help" && known.Options.All(k => k.Name != o)).Select(o => $"{endpoint} {command} {o}"));
        }
        found.AddRange(ScriptCommand().Matches(markdown).Where(m => !Knows(m.Groups[1].Value, m.Groups[2].Value)).Select(m => m.Value));
        return found;
    }

    private static string? ProgramOf(string endpoint) => new[] { Repository.File("Endpoints", endpoint, "Program.cs"), Repository.File(endpoint, "Program.cs") }.FirstOrDefault(File.Exists);

    /// <summary>Those that its program names.</summary>
    private static List<Command> CommandsOf(string endpoint, string program) => [.. Definition().Matches(File.ReadAllText(program)).Select(m => m.Groups[1].Value)
        .Select(name => Assembly.Load($"Signup.{endpoint}").GetTypes().Concat(typeof(SignupEndpoint).Assembly.GetTypes()).First(t => t.Name == name).GetMethod("Define")!)
        .Select(define => (Command)define.Invoke(null, new object?[define.GetParameters().Length])!)];

    /// <summary>By what the script says of itself, or as a project of tests.</summary>
    private static bool Knows(string script, string word) => Repository.Read(script).Split("set -euo")[0].Contains(word, StringComparison.Ordinal)
        || (script == "test" && Directory.GetDirectories(Repository.File("tests")).Any(d => Path.GetFileName(d).Equals(word, StringComparison.OrdinalIgnoreCase)));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.+?)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("`((?:bench|docker|docs|Endpoints|Gateway|Messages|tests)/[^`\\s…*<{]*)[`\\s]")]
    private static partial Regex PathSpan();

    [GeneratedRegex(@"(?<![\w./])\./run ([A-Z]\w+)(?: ([a-z]\w*))?([^`|#\n…]*)")]
    private static partial Regex EndpointCommand();

    [GeneratedRegex(@"--[a-z-]+")]
    private static partial Regex OptionName();

    [GeneratedRegex(@"(?<![\w./])\./(run|test) (--[a-z]+|[a-z]+)")]
    private static partial Regex ScriptCommand();

    [GeneratedRegex(@"(\w+)\.Define\(")]
    private static partial Regex Definition();
}
