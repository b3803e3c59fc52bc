using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Signup.Gateway.Passwords;

/// <summary>What a hash costs. The defaults are OWASP's recommendation for Argon2id (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane.
/// Less than that is for benchmarks of the rest only: <c>MemoryKiB=8, Passes=1</c> costs next to nothing, and protects nobody.</summary>
public record HashingCost
{
    public const int LeastMemory = 8, MostMemory = 4 * 1024 * 1024, MostPasses = 1000;

    /// <summary>Argon2's memory, in KiB.</summary>
    [Range(LeastMemory, MostMemory)]
    public int MemoryKiB { get; init; } = 19456;

    [Range(1, MostPasses)]
    public int Passes { get; init; } = 2;
}

/// <summary>Settings <c>PasswordHashing:…</c>.</summary>
public sealed record HashingSettings : HashingCost
{
    /// <summary>What was in force before, or is going to be: a sign-up that was taken under it and comes again is recognized, and gets its first answer. At a sign-in a hash that cost anything else than this is made anew.</summary>
    [ValidateEnumeratedItems]
    public IReadOnlyList<HashingCost> Earlier { get; init; } = [];

    /// <summary>Passwords hashed at once; 0 is one per processor. More would only make all of them slower.</summary>
    [Range(0, 1024)]
    public int Parallel { get; init; }

    /// <summary>Passwords that may wait. One more is turned away at once, rather than kept waiting for longer than its sender will.</summary>
    [Range(1, 1_000_000)]
    public int QueueLimit { get; init; } = 256;
}
