using System.Text.Json;
using System.Text.Json.Nodes;

namespace Signup.Tests.Contract;

/// <summary>F5 starts one program against what ./run has started.</summary>
public sealed class when_a_program_is_started_from_an_editor
{
    public static TheoryData<string> Programs() => [.. Repository.Read("run").Split("ENDPOINTS='")[1].Split('\'')[0].Split(' ')];

    [Theory, MemberData(nameof(Programs))]
    public void it_is_told_what_run_would_start_it_with(string program)
    {
        var folder = FolderOf(program);
        var profile = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "Properties", "launchSettings.json")))!["profiles"]!["against ./run"]!;
        var named = (string)profile["environmentVariables"]!["SIGNUP_SETTINGS"]!;
        Assert.Equal(Repository.File(".local", "run", $"{program}.env"), Path.GetFullPath(named, Path.Combine(folder, "bin", "Debug", "net10.0")));
    }

    [Theory, MemberData(nameof(Programs))]
    public void Visual_Studio_Code_has_it_in_its_list(string program)
    {
        var list = JsonNode.Parse(Repository.Read(".vscode", "launch.json"), documentOptions: new() { CommentHandling = JsonCommentHandling.Skip })!["configurations"]!.AsArray();
        Assert.Contains(Path.Combine(FolderOf(program), $"{program}.csproj"), list.Select(l => ((string)l!["projectPath"]!).Replace("${workspaceFolder}", Repository.Root.TrimEnd(Path.DirectorySeparatorChar), StringComparison.Ordinal)));
    }

    private static string FolderOf(string program) => new[] { Repository.File("Endpoints", program), Repository.File(program) }.First(Directory.Exists);
}
