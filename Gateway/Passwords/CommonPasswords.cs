using System.Collections.Frozen;

namespace Signup.Gateway.Passwords;

/// <summary>Passwords that attackers try first. The list is the 10,000 most common ones of eight or more characters, and some; NOTICE.md says where it is from.</summary>
public static class CommonPasswords
{
    private static readonly Lazy<FrozenSet<string>> List = new(Read);

    public static int Count => List.Value.Count;

    /// <summary>Whether it is on the list, in whichever case.</summary>
    /// <param name="password">As <see cref="Password.Prepare"/> leaves it.</param>
    public static bool Contain(string password) => List.Value.Contains(password.ToLowerInvariant());

    private static FrozenSet<string> Read()
    {
        using var stream = typeof(CommonPasswords).Assembly.GetManifestResourceStream("common-passwords.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);
    }
}
