using System.Text;

namespace Signup.EventLog;

/// <summary>Text that can be stored, compared and shown.</summary>
public static class PlainText
{
    /// <summary>Well-formed Unicode, without noncharacters (Unicode, 23.7: they mean nothing to anybody else, and U+FFFE cannot be normalized) and without NUL, which PostgreSQL's JSON cannot hold.</summary>
    public static bool IsPlain(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var length) != System.Buffers.OperationStatus.Done || rune.Value == 0 || IsNoncharacter(rune)) return false;
            i += length;
        }
        return true;
    }

    /// <summary>Unicode NFC.</summary>
    /// <exception cref="FormatException">It is not plain.</exception>
    public static string Compose(string text) => IsPlain(text) ? text.Normalize(NormalizationForm.FormC) : throw new FormatException("A text must be well-formed Unicode, without NUL and noncharacters.");

    private static bool IsNoncharacter(Rune rune) => (rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF;
}
