using System.Diagnostics;
using Signup.Tests.Fixture;

namespace Signup.Tests.Contract;

/// <summary>What Wolverine writes around handlers, and what is compiled with them: see Endpoints/Hosting/GeneratedCode.cs. <c>APPROVE=1 ./test written_now</c> writes it anew.</summary>
public class the_code_around_handlers
{
    private static readonly string[] Projects = [.. Directory.GetFiles(Repository.File("Endpoints"), "Program.cs", SearchOption.AllDirectories)
        .Select(f => Path.GetFileName(Path.GetDirectoryName(f)!)).Order()];

    public static TheoryData<string> Endpoints() => [.. Projects];

    [Theory, MemberData(nameof(Endpoints))]
    public async Task is_what_would_be_written_now(string endpoint)
    {
        var kept = Repository.File("Endpoints", endpoint, "Internal", "Generated");
        var folder = Directory.CreateTempSubdirectory("signup-generated-").FullName;
        try
        {
            await WriteAsync(endpoint, folder);
            var now = Read(folder);
            if (Environment.GetEnvironmentVariable("APPROVE") == "1") Keep(now, kept);
            var before = Read(kept);
            var differing = now.Keys.Union(before.Keys).Where(name => now.GetValueOrDefault(name) != before.GetValueOrDefault(name)).Order().ToList();
            Assert.True(differing.Count == 0, $"Differs: {string.Join(", ", differing)}. Run APPROVE=1 ./test written_now, and commit what it writes.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Keep(SortedDictionary<string, string> code, string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        foreach (var (name, text) in code)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            File.WriteAllText(Path.Combine(folder, name), text);
        }
    }

    private static SortedDictionary<string, string> Read(string folder) => !Directory.Exists(folder) ? [] : new(
        Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories).ToDictionary(f => Path.GetRelativePath(folder, f), File.ReadAllText), StringComparer.Ordinal);

    /// <summary>It asks for settings and connects to nothing.</summary>
    private static async Task WriteAsync(string endpoint, string folder)
    {
        var program = Repository.File("Endpoints", endpoint, "bin", Parts.Configuration, "net10.0", $"Signup.{endpoint}.dll");
        var start = new ProcessStartInfo("dotnet", [program, "--codegen", folder]);
        start.Environment["ConnectionStrings__RabbitMq"] = "amqp://nobody@localhost";
        start.Environment["ConnectionStrings__Postgres"] = "Host=localhost;Database=none";
        start.Environment["Signup__SigningKey"] = Convert.ToBase64String(new byte[32]);
        start.Environment["Signup__PublicUrl"] = "http://localhost";
        start.Environment["Uniqueness__ApiKey"] = start.Environment["Query__ApiKey"] = new string('k', 32);
        start.Environment["Mail__Journal"] = start.Environment["Smtp__PickupDirectory"] = folder;
        var (exitCode, output) = await Command.RunAsync(start);
        Assert.True(exitCode == 0, $"{endpoint}: {output}");
    }
}
