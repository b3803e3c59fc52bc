using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;
using Signup.Tests.Fixture;

namespace Signup.Tests.Contract;

/// <summary>The rules of the house. Each is shown to find a planted violation before it is trusted.</summary>
public partial class the_architecture
{
    /// <summary>Every program of the system, also one that nobody has thought of here.</summary>
    private static readonly string[] Endpoints =
        [.. Directory.GetDirectories(Repository.File("Endpoints")).Append(Repository.File("Gateway")).Where(d => File.Exists(Path.Combine(d, "Program.cs"))).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Deployables() => [.. Endpoints];

    [Fact]
    public void every_program_is_looked_at() => Assert.Subset(Endpoints.ToHashSet(), new HashSet<string> { "Accounts", "Uniqueness", "Mail", "Query", "Statistics", "Archive", "Gateway" });

    [Fact]
    public void messages_reference_no_package_and_no_project() =>
        Assert.Empty(References(XDocument.Load(Repository.File("Messages", "Messages.csproj"))));

    [Fact]
    public void messages_reference_no_package_finds_a_planted_one() =>
        Assert.NotEmpty(References(XDocument.Parse("<Project><ItemGroup><PackageReference Include='NServiceBus' /></ItemGroup></Project>")));

    [Fact]
    public void no_two_types_have_one_name() => Assert.Empty(Twins([.. Endpoints.Append("Hosting").Append("EventLog").Append("Messages").SelectMany(e => Load(e).GetTypes())]));

    [Fact]
    public void no_two_types_have_one_name_finds_planted_twins() => Assert.Equal(["Twin"], Twins([typeof(Planted.Here.Twin), typeof(Planted.There.Twin<>), typeof(PlantedHandler)]));

    [Theory, MemberData(nameof(Deployables))]
    public void no_handler_names_a_bus(string endpoint) => Assert.Empty(Load(endpoint).GetTypes().SelectMany(BusesIn));

    [Fact]
    public void no_handler_names_a_bus_finds_a_planted_one() => Assert.Equal(["PlantedHandler.Handle"], BusesIn(typeof(PlantedHandler)));

    [Theory, MemberData(nameof(Deployables))]
    public void handlers_are_static(string endpoint) => Assert.All(Load(endpoint).GetTypes().Where(IsHandler), t => Assert.True(t.IsAbstract && t.IsSealed, t.FullName));

    [Theory, MemberData(nameof(Deployables))]
    public void endpoints_know_each_other_by_messages_only(string endpoint) =>
        Assert.Empty(Others(XDocument.Load(Directory.GetFiles(Repository.Root, $"{endpoint}.csproj", SearchOption.AllDirectories).Single())));

    [Fact]
    public void endpoints_know_each_other_by_messages_only_finds_a_planted_reference() =>
        Assert.Equal(["Accounts"], Others(XDocument.Parse("<Project><ItemGroup><ProjectReference Include='../Accounts/Accounts.csproj' /><ProjectReference Include='../Hosting/Hosting.csproj' /></ItemGroup></Project>")));

    [Fact]
    public void the_logs_own_tables_are_touched_in_its_project_only() => Assert.Empty(Sources().Where(s => !s.Path.StartsWith("Endpoints/EventLog/", StringComparison.Ordinal)).SelectMany(s => Found(s, LogTable())));

    [Fact]
    public void the_logs_own_tables_are_touched_in_its_project_only_finds_a_planted_one() =>
        Assert.Equal(["Gateway/A.cs: mt_events"], Found(("Gateway/A.cs", "// select from mt_streams\nvar sql = \"select from log.mt_events\";"), LogTable()));

    [Fact]
    public void sql_of_a_schema_stands_in_the_folder_that_owns_it() => Assert.Equal(OthersTables, Sources().SelectMany(Strangers).Distinct());

    [Fact]
    public void sql_of_a_schema_stands_in_the_folder_that_owns_it_finds_a_planted_stranger() =>
        Assert.Equal(["Endpoints/Mail/A.cs: query.accounts"], Strangers(("Endpoints/Mail/A.cs", "/// of uniqueness.claims\nvar sql = \"select from query.accounts join mail.activation using (id)\"; mail.Send(\"uniqueness.json\");")));

    [Theory, MemberData(nameof(Deployables))]
    public void the_broker_is_spoken_to_in_Hosting_only(string endpoint) => Assert.Empty(Uses(Load(endpoint).Location, "RabbitMQ"));

    [Fact]
    public void the_broker_is_spoken_to_in_Hosting_only_finds_a_planted_use() => Assert.NotEmpty(Uses(typeof(the_architecture).Assembly.Location, "RabbitMQ"));

    [Theory, MemberData(nameof(Deployables))]
    public void time_comes_in_and_is_never_taken_from_the_clock(string endpoint) => Assert.Empty(ClocksIn(Load(endpoint).Location));

    [Fact]
    public void time_is_never_taken_from_the_clock_finds_a_planted_use() => Assert.Contains("DateTime.get_Now", ClocksIn(typeof(the_architecture).Assembly.Location));

    /// <summary>White space and line ends. What else .editorconfig says is enforced by the build; a whole `dotnet format` would say it once more, and take a minute for it.</summary>
    [Fact]
    public async Task code_is_laid_out_as_dotnet_format_has_it() => Assert.Equal((0, ""), await FormatAsync(Repository.Root));

    [Fact]
    public async Task code_is_laid_out_as_dotnet_format_has_it_finds_a_planted_blank()
    {
        var folder = Directory.CreateTempSubdirectory("format");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "Planted.cs"), "namespace  Planted;\n");
            Assert.Contains("Planted.cs(1,11)", (await FormatAsync(folder.FullName)).Output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Task<(int ExitCode, string Output)> FormatAsync(string folder) =>
        Command.RunAsync(new("dotnet", ["format", "whitespace", ".", "--folder", "--verify-no-changes", "--verbosity", "quiet", "--exclude", ".local"]) { WorkingDirectory = folder });

    private static readonly string[] Locked = ["bench", "Endpoints", "Gateway", "tests"];

    /// <summary>The benchmarks are not built with the rest; a package that went would be noticed when somebody wants a figure.</summary>
    [Fact]
    public void what_is_locked_is_pinned()
    {
        var pinned = XDocument.Load(Repository.File("Directory.Packages.props")).Descendants("PackageVersion").Select(e => (string)e.Attribute("Include")!).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var locks = Locked.SelectMany(f => Directory.GetFiles(Repository.File(f), "packages.lock.json", SearchOption.AllDirectories)).ToList();
        Assert.Contains(locks, l => l.Contains($"bench{Path.DirectorySeparatorChar}Benchmarks", StringComparison.Ordinal));
        Assert.Empty(locks.SelectMany(l => Unpinned(File.ReadAllText(l), pinned).Select(package => $"{Path.GetRelativePath(Repository.Root, l)}: {package}")));
    }

    [Fact]
    public void what_is_locked_is_pinned_finds_a_planted_package() =>
        Assert.Equal(["Gone"], Unpinned("""{"dependencies":{"net10.0":{"Gone":{"type":"CentralTransitive"},"Marten":{"type":"CentralTransitive"},"Other":{"type":"Transitive"}}}}""", ["Marten"]));

    private static List<string> Unpinned(string lockFile, HashSet<string> pinned) => JsonNode.Parse(lockFile)!["dependencies"]!.AsObject()
        .SelectMany(framework => framework.Value!.AsObject()).Where(package => package.Value!["type"]!.GetValue<string>() == "CentralTransitive").Select(package => package.Key).Where(name => !pinned.Contains(name)).ToList();

    private static readonly Dictionary<string, string> Owners = new()
    {
        ["log"] = "Endpoints/EventLog/", ["keys"] = "Endpoints/EventLog/", ["publisher"] = "Endpoints/Hosting/Following/", ["uniqueness"] = "Endpoints/Uniqueness/", ["mail"] = "Endpoints/Mail/",
        ["query"] = "Endpoints/Query/", ["statistics"] = "Endpoints/Statistics/",
    };

    private static readonly string[] OthersTables =
    [
        // Whoever puts a history into the log raises the fence before Uniqueness: it must not decide by claims that are not there yet.
        "Endpoints/EventLog/ClaimsFence.cs: uniqueness.rebuild",
        // Where an earlier version had published to, read once.
        "Endpoints/Hosting/Following/EventPublisher.cs: mail.published",
        // No table: a field of an account, as a rule names it.
        "Endpoints/Query/Inspection/Rule.cs: mail.state",
    ];

    private static readonly string[] SourceFolders = ["Endpoints", "Gateway"], SourceKinds = ["*.cs", "*.sql", "*.razor"];

    private static IEnumerable<(string Path, string Text)> Sources() => SourceFolders
        .SelectMany(folder => SourceKinds.SelectMany(kind => Directory.GetFiles(Repository.File(folder), kind, SearchOption.AllDirectories)))
        .Select(path => (Path: Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'), Text: File.ReadAllText(path)))
        .Where(source => !source.Path.Contains("/obj/", StringComparison.Ordinal) && !source.Path.Contains("/bin/", StringComparison.Ordinal)).OrderBy(source => source.Path, StringComparer.Ordinal);

    private static IEnumerable<string> Found((string Path, string Text) source, Regex what) => what.Matches(Comment().Replace(source.Text, "")).Select(m => $"{source.Path}: {m.Value}");

    /// <summary>Tables of a schema that belongs to another folder. What C# calls by a name that is a schema's begins with a capital letter behind the dot.</summary>
    private static IEnumerable<string> Strangers((string Path, string Text) source) =>
        Found(source, Table()).Where(found => !source.Path.StartsWith(Owners[found.Split(' ', '.')[^2]], StringComparison.Ordinal));

    /// <summary>The programs that a project references.</summary>
    private static IEnumerable<string> Others(XDocument project) => References(project).Select(path => Path.GetFileNameWithoutExtension(path)).Intersect(Endpoints);

    private static Assembly Load(string endpoint) => Assembly.Load($"Signup.{endpoint}");

    /// <summary>An event as the log stores it and the message that tells of it are meant to be called the same.</summary>
    private static List<string> Twins(IReadOnlyList<Type> types)
    {
        var messages = EventTypes.All.Select(t => t.Message).ToHashSet();
        return [.. types.Where(t => !t.IsNested && !messages.Contains(t) && t.Name is not ("Program" or "_Imports") && !t.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) && t.Namespace?.StartsWith("Signup", StringComparison.Ordinal) == true)
            .GroupBy(t => t.Name.Split('`')[0]).Where(g => g.Select(t => t.Namespace).Distinct().Count() > 1).Select(g => g.Key)];
    }

    private static IEnumerable<string> References(XDocument project) => project.Descendants()
        .Where(e => e.Name.LocalName is "PackageReference" or "ProjectReference" or "FrameworkReference" or "Reference").Select(e => (string)e.Attribute("Include")!);

    private static bool IsHandler(Type type) => type.Name.EndsWith("Handler", StringComparison.Ordinal) && !type.IsNested;

    /// <summary>What in our own code speaks to the broker, or finds whatever does.</summary>
    private static readonly HashSet<Type> Transports = [typeof(Broker), typeof(CommandClient), typeof(HandlerSends), typeof(Incoming), typeof(IServiceProvider)];

    private static IEnumerable<string> BusesIn(Type type) => !IsHandler(type) ? [] : type
        .GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        .Where(m => m.GetParameters().Select(p => p.ParameterType).Append(m.ReturnType).SelectMany(Parts).Any(t => t.Namespace is { } n
            && (Transports.Contains(t) || n.StartsWith("RabbitMQ", StringComparison.Ordinal))))
        .Select(m => $"{type.Name}.{m.Name}");

    private static IEnumerable<Type> Parts(Type type) => type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type) : [type];

    /// <summary>The types whose namespace begins so that the compiled code uses, wherever in it.</summary>
    private static List<string> Uses(string assembly, string @namespace) => Read(assembly, metadata => metadata.TypeReferences.Select(metadata.GetTypeReference)
        .Where(t => metadata.GetString(t.Namespace).StartsWith(@namespace, StringComparison.Ordinal)).Select(t => metadata.GetString(t.Name)).ToList());

    private static List<string> ClocksIn(string assembly) => Read(assembly, metadata => metadata.MemberReferences.Select(metadata.GetMemberReference)
        .Where(m => m.Parent.Kind == HandleKind.TypeReference)
        .Select(m => $"{metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)m.Parent).Name)}.{metadata.GetString(m.Name)}")
        .Where(m => Clock().IsMatch(m)).ToList());

    private static T Read<T>(string assembly, Func<MetadataReader, T> read)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        return read(file.GetMetadataReader());
    }

    [GeneratedRegex(@"\bmt_\w+")]
    private static partial Regex LogTable();

    [GeneratedRegex(@"(?<![\w./:-])(log|keys|publisher|uniqueness|mail|query|statistics)\.(?!json\b|css\b|js\b)[a-z_]+\b")]
    private static partial Regex Table();

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^DateTime(Offset)?\.get_(UtcNow|Now|Today)$")]
    private static partial Regex Clock();
}

/// <summary>Breaks two rules: it names the bus, and it looks at the clock.</summary>
internal static class PlantedHandler
{
    public static Task<DateTime> Handle(Messages.Accounts.SignUp command, CommandClient bus) => Task.FromResult(command is null || bus is null ? DateTime.MinValue : DateTime.Now);
}
