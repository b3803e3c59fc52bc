using System.Text;

namespace Signup.Gateway.Passwords;

/// <summary>When two ways to type a password are the same password.</summary>
public static class Password
{
    /// <summary>Of the prepared password, in code points: what people take for characters, but for a few scripts and emoji.</summary>
    public const int MinLength = 8, MaxLength = 256;

    /// <summary>The password that is counted and hashed: RFC 8265's OpaqueString. Unicode NFC, since keyboards differ in how they compose
    /// a letter with its accent; any other space as U+0020; case and everything else as it is. NFKC would make different passwords one.</summary>
    /// <exception cref="ArgumentException">Not well-formed Unicode.</exception>
    public static string Prepare(string typed)
    {
        var spaces = new StringBuilder(typed.Length);
        foreach (var c in typed) spaces.Append(char.GetUnicodeCategory(c) == System.Globalization.UnicodeCategory.SpaceSeparator ? ' ' : c);
        return spaces.ToString().Normalize(NormalizationForm.FormC);
    }
}
