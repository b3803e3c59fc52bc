using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using Signup.Tests;
using Xunit.v3;

[assembly: TellsWhatRuns]

// Compiled into every test project, whose namespaces lie in this one: [Fact] and [Theory] mean these there.
namespace Signup.Tests;

/// <summary>xUnit's own, with a deadline where a test states none by <c>Timeout</c>.</summary>
[XunitTestCaseDiscoverer(typeof(FactDiscoverer))]
internal sealed class FactAttribute : Xunit.FactAttribute
{
    /// <summary>In milliseconds: some six times what the slowest test takes on two cores.</summary>
    public const int Deadline = 180_000;

    public FactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1) : base(sourceFilePath, sourceLineNumber) => Timeout = Deadline;
}

/// <inheritdoc cref="FactAttribute"/>
[XunitTestCaseDiscoverer(typeof(TheoryDiscoverer))]
internal sealed class TheoryAttribute : Xunit.TheoryAttribute
{
    public TheoryAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1) : base(sourceFilePath, sourceLineNumber) => Timeout = FactAttribute.Deadline;
}

/// <summary>Where a deadline ends a test, xUnit says which; this prints what the processes that tests have started were doing.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class TellsWhatRunsAttribute : BeforeAfterTestAttribute
{
    /// <summary>The environment variable by which such a process says where its log is (SignupProcess sets it; <c>./test</c> looks for it, too).</summary>
    private const string LogVariable = "SIGNUP_TEST_LOG=";

    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => TestContext.Current.CancellationToken.Register(() => Console.WriteLine(Report(test.TestDisplayName)));

    private static string Report(string test)
    {
        var report = new StringBuilder().AppendLine().Append(test).AppendLine(" is not over by its deadline. Last lines of the processes that run:");
        foreach (var log in Directory.GetDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])).Select(LogOf).OfType<string>())
        {
            report.Append("--- ").AppendLine(log);
            foreach (var line in File.Exists(log) ? File.ReadLines(log).TakeLast(15) : ["(nothing was logged)"]) report.AppendLine(line);
        }
        return report.Append("---").ToString();
    }

    private static string? LogOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "environ")).Split('\0').FirstOrDefault(v => v.StartsWith(LogVariable, StringComparison.Ordinal))?[LogVariable.Length..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // It has ended meanwhile, or is somebody else's.
        }
    }
}
