using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using NSec.Cryptography;
using Signup.Tests.Fixture;

namespace Signup.Bench.SignUps;

/// <summary>What all of it runs on.</summary>
public static class Machine
{
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

    /// <summary>Passwords a second that all processors together hash at OWASP's minimum for Argon2id (19 MiB, 2 passes), doing nothing else.</summary>
    public static double Argon2Rate(TimeSpan time)
    {
        var argon2 = PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = 19456, NumberOfPasses = 2 });
        var (hashed, begun) = (0, Stopwatch.GetTimestamp());
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            while (Stopwatch.GetElapsedTime(begun) < time)
            {
                argon2.DeriveBytes("Correct horse battery"u8, RandomNumberGenerator.GetBytes(16), 32);
                Interlocked.Increment(ref hashed);
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return hashed / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}
