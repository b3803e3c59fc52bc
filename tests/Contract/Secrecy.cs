using System.Diagnostics;
using Signup.Tests.Fixture;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Signup.Tests.Contract;

/// <summary>What one process is told, the next one that somebody breaks into does not know.</summary>
public class Secrecy
{
    private static readonly string[] Every =
    [
        "ConnectionStrings__Postgres", "ConnectionStrings__PostgresReplica", "ConnectionStrings__PostgresOwner", "RabbitMq__ManagementUrl", "Accounts__ApiKey", "Uniqueness__ApiKey", "Query__ApiKey", "Signup__SigningKey", "Mail__EventsKey",
        "Ops__Keys__operator", "Smtp__Username", "Smtp__Password", "Smtp__OAuth__ClientSecret", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    ];

    public static TheoryData<string> Processes => [.. Secrets.Processes];

    [Theory, MemberData(nameof(Processes))]
    public async Task run_starts_a_process_with_the_secrets_that_it_needs_and_no_others(string process)
    {
        var bash = new ProcessStartInfo("bash", ["-c", $". docker/parts/secrets.sh; forget_secrets {process}; env"]) { WorkingDirectory = Repository.Root };
        // As somebody sets them, by whichever capitals.
        foreach (var name in Every) bash.Environment[name == "Smtp__Password" ? "SMTP__PASSWORD" : name] = "a secret";
        bash.Environment["Signup__PublicUrl"] = "no secret";
        var (exit, output) = await Command.RunAsync(bash);
        Assert.Equal(0, exit);
        var told = output.Split('\n').Select(line => line.Split('=')[0]).ToHashSet(StringComparer.OrdinalIgnoreCase);
        Assert.Equal(Every.Where(name => Secrets.MayKnow(process, name)), Every.Where(told.Contains));
        Assert.Contains("Signup__PublicUrl", told);
    }

    [Fact]
    public void every_process_has_its_list() => Assert.Equal(
        Directory.GetDirectories(Repository.File("Endpoints")).Append(Repository.File("Gateway")).Where(d => File.Exists(Path.Combine(d, "Program.cs"))).Select(Path.GetFileName).Order(), Secrets.Processes.Where(p => !p.Contains('/')).Order());

    /// <summary>It reads the list as a test does, and a test that starts everybody with everything would not notice.</summary>
    [Fact]
    public void run_forgets_them_wherever_it_starts_a_process()
    {
        var lines = Repository.Read("run").Split('\n');
        var starts = lines.Index().Where(l => l.Item.Contains("dotnet \"$dll\"", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, starts.Count);
        Assert.All(starts, start => Assert.Contains(lines[(start.Index - 4)..start.Index], l => l.Trim().StartsWith("forget_secrets ", StringComparison.Ordinal)));
    }

    [Fact]
    public void containers_have_the_secrets_that_they_need_and_no_others()
    {
        var compose = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(new MergingParser(new Parser(new StringReader(Repository.Read("docker", "compose.yml")))));
        var services = (Dictionary<object, object>)compose["services"];
        var contained = Secrets.Processes.Where(p => services.ContainsKey(p.ToLowerInvariant())).ToList();
        Assert.Equal(["Accounts", "Archive", "Gateway", "Mail", "Query", "Uniqueness"], contained.Intersect(["Accounts", "Archive", "Gateway", "Mail", "Query", "Uniqueness"]).Order());
        foreach (var process in contained)
        {
            var told = ((Dictionary<object, object>)((Dictionary<object, object>)services[process.ToLowerInvariant()])["environment"]).Keys.Cast<string>().ToList();
            Assert.Contains("ConnectionStrings__RabbitMq", told);
            // Access tokens for SMTP are for whoever adds them.
            Assert.Equal((process, string.Join(' ', Every.Where(name => Secrets.MayKnow(process, name) && !name.StartsWith("Smtp__OAuth", StringComparison.Ordinal)))), (process, string.Join(' ', Every.Where(told.Contains))));
        }
    }
}
