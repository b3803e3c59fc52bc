using System.Globalization;
using System.Text.RegularExpressions;

namespace Signup.Gateway.Passwords;

/// <summary>How a password has to be hashed to be compared with a hash that is kept.</summary>
public sealed partial record PasswordSalt(HashingCost Cost, byte[] Salt)
{
    /// <param name="text">A PHC string without its hash, as <see cref="PasswordHasher"/> writes it.</param>
    /// <returns>Null for one that is not of this program's making.</returns>
    public static PasswordSalt? Parse(string? text)
    {
        if (Form().Match(text ?? "") is not { Success: true } match) return null;
        var (memory, passes) = (Number(match.Groups[1]), Number(match.Groups[2]));
        return memory is >= HashingCost.LeastMemory and <= HashingCost.MostMemory && passes is >= 1 and <= HashingCost.MostPasses
            ? new(new() { MemoryKiB = memory, Passes = passes }, Convert.FromBase64String(match.Groups[3].Value + "=="))
            : null;
    }

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    // 16 bytes are 22 characters.
    [GeneratedRegex(@"^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,4}),p=1\$([A-Za-z0-9+/]{22})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
