using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using NSec.Cryptography;
using Signup.Tests.Fixture;

namespace Signup.Bench;

/// <summary>What all of it runs on.</summary>
public static class Machine
{
    private static readonly Argon2id Argon2 = PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = 19456, NumberOfPasses = 2 });

    /// <summary>The process of a part, as docker/provision says.</summary>
    /// <param name="part">RABBITMQ or POSTGRES.</param>
    /// <exception cref="InvalidOperationException">It runs where its processes cannot be seen.</exception>
    public static int ProcessOf(string part)
    {
        var file = Path.Combine(Parts.State, "parts.env");
        var line = File.ReadLines(file).FirstOrDefault(l => l.StartsWith($"{part}_PID=", StringComparison.Ordinal))?.Split('=')[1];
        return int.TryParse(line, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw new InvalidOperationException($"{part} is not a private instance on this machine, so its CPU time cannot be measured. Unset its connection string, and set SIGNUP_DOCKER=no.");
    }

    /// <summary>Processors and memory, as this machine has them.</summary>
    public static string Description { get; } = $"{Environment.ProcessorCount} cores ({Model()}), {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1L << 30)} GiB";

    /// <summary>Passwords a second that all processors together hash at OWASP's minimum for Argon2id (19 MiB, 2 passes), doing nothing else.</summary>
    public static double Argon2Rate(TimeSpan time)
    {
        var (hashed, begun) = (0, Stopwatch.GetTimestamp());
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            while (Stopwatch.GetElapsedTime(begun) < time)
            {
                Hash();
                Interlocked.Increment(ref hashed);
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return hashed / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    /// <summary>Milliseconds that one of them takes, while nothing else happens: the median.</summary>
    public static double Argon2Ms()
    {
        var taken = Enumerable.Range(0, 101).Select(_ =>
        {
            var begun = Stopwatch.GetTimestamp();
            Hash();
            return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        });
        return taken.Order().ElementAt(50);
    }

    private static void Hash() => Argon2.DeriveBytes("Correct horse battery"u8, RandomNumberGenerator.GetBytes(16), 32);

    private static string Model() =>
        File.Exists("/proc/cpuinfo") && File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) is { } line ? line.Split(':', 2)[1].Trim() : "unknown";
}
