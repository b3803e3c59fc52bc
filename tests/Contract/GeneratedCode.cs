using System.Diagnostics;

namespace Signup.Tests.Contract;

/// <summary>The code around the handlers, which is compiled with them: see Endpoints/Hosting/GeneratedCode.cs.</summary>
public class GeneratedCode
{
    /// <summary>Set to 1 to write what is generated now into the repository, where it differs.</summary>
    private const string Accept = "SIGNUP_ACCEPT_GENERATED";

    public static readonly TheoryData<string> Endpoints = [.. Directory.GetFiles(Repository.File("Endpoints"), "Program.cs", SearchOption.AllDirectories)
        .Select(f => Path.GetFileName(Path.GetDirectoryName(f)!)).Order()];

    [Theory, MemberData(nameof(Endpoints))]
    public async Task The_code_around_an_endpoints_handlers_is_what_Wolverine_writes_for_them_now(string endpoint)
    {
        var kept = Repository.File("Endpoints", endpoint, "Internal", "Generated");
        var written = Directory.CreateTempSubdirectory("signup-generated-").FullName;
        try
        {
            await WriteAsync(endpoint, written);
            var now = Read(written);
            if (Environment.GetEnvironmentVariable(Accept) == "1")
            {
                if (Directory.Exists(kept)) Directory.Delete(kept, recursive: true);
                foreach (var (name, code) in now)
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(kept, name))!);
                    await File.WriteAllTextAsync(Path.Combine(kept, name), code);
                }
            }
            var before = Read(kept);
            var differing = now.Keys.Union(before.Keys).Where(name => now.GetValueOrDefault(name) != before.GetValueOrDefault(name)).Order().ToList();
            Assert.True(differing.Count == 0, $"Differs: {string.Join(", ", differing)}. Run {Accept}=1 ./test GeneratedCode, and commit what it writes.");
        }
        finally
        {
            Directory.Delete(written, recursive: true);
        }
    }

    private static SortedDictionary<string, string> Read(string folder) => !Directory.Exists(folder) ? [] : new(
        Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories).ToDictionary(f => Path.GetRelativePath(folder, f), File.ReadAllText), StringComparer.Ordinal);

    /// <summary>It asks for settings and connects to nothing.</summary>
    private static async Task WriteAsync(string endpoint, string folder)
    {
        var program = Repository.File("Endpoints", endpoint, "bin", "Release", "net10.0", $"Signup.{endpoint}.dll");
        var start = new ProcessStartInfo("dotnet", [program, "--codegen", folder]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ConnectionStrings__RabbitMq"] = "amqp://nobody@localhost";
        start.Environment["ConnectionStrings__Postgres"] = "Host=localhost;Database=none";
        start.Environment["Signup__SigningKey"] = Convert.ToBase64String(new byte[32]);
        start.Environment["Signup__PublicUrl"] = "http://localhost";
        start.Environment["Uniqueness__ApiKey"] = start.Environment["Query__ApiKey"] = new string('k', 32);
        start.Environment["Archive__Directory"] = start.Environment["Mail__Journal"] = start.Environment["Smtp__PickupDirectory"] = folder;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{endpoint}: {output}{await error}");
    }
}
