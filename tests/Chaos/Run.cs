using System.Globalization;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Signup.Tests.Chaos;

/// <summary>One run of chaos: what is random in it comes from its seed, so that SIGNUP_CHAOS_SEED makes the same kills among the same sign-ups again
/// (how far each process has come by then is the machine's to decide).</summary>
public sealed class Run
{
    /// <summary>How long a test may take, in milliseconds: more than all of them did together at length (386 s on two cores), and less than their project may in short (<c>./test</c>).</summary>
    public const int Deadline = 480_000;

    /// <summary>Many blows of each kind, as <c>./test chaos</c> asks for; otherwise one of each, among fewer sign-ups.</summary>
    public static readonly bool IsLong = Environment.GetEnvironmentVariable("SIGNUP_CHAOS") == "long";

    private readonly System.Diagnostics.Stopwatch _watch = System.Diagnostics.Stopwatch.StartNew();

    public Run()
    {
        Seed = int.TryParse(Environment.GetEnvironmentVariable("SIGNUP_CHAOS_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : Random.Shared.Next(1_000_000);
        Random = new Random(Seed);
        Tell($"SIGNUP_CHAOS_SEED={Seed}");
    }

    public int Seed { get; }
    public Random Random { get; }
    public string Id { get; } = $"{Guid.NewGuid():N}";

    /// <summary>At once, since what comes after may take minutes or never end.</summary>
    public void Tell(string what) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {_watch.Elapsed.TotalSeconds,6:0.0} s  {what}"));
}
