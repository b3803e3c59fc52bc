using System.Globalization;
using System.Text;
using Signup.EventLog;
using Signup.EventLog.Accounts;

namespace Signup.Gateway.SigningUp;

/// <summary>
/// Which e-mail addresses are taken. The local part is a dot-atom (RFC 5321, 4.1.2; RFC 5322, 3.2.3) that may hold any letter (RFC 6531); the domain
/// is a name with at least two labels, in any script (IDNA). Quoted local parts, comments and address literals are valid and unheard of on the public
/// internet; where they turn up it is by mistake or with intent, so they are refused.
/// </summary>
public static class EmailSyntax
{
    /// <summary>In octets (RFC 5321, 4.5.3.1.1).</summary>
    public const int MaxLocalLength = 64;

    private const string AtextSymbols = "!#$%&'*+-/=?^_`{|}~";

    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <param name="address">Without white space around it.</param>
    public static bool IsValid(string address)
    {
        var at = address.LastIndexOf('@');
        return at > 0 && IsLocalPart(address[..at]) && IsDomain(address[(at + 1)..], out var ascii)
            && Encoding.UTF8.GetByteCount(address.AsSpan(0, at + 1)) + ascii.Length <= Limits.Email
            && IsComparable(address);
    }

    private static bool IsLocalPart(string local) =>
        Encoding.UTF8.GetByteCount(local) <= MaxLocalLength && local.Split('.').All(atom => atom.Length > 0 && atom.EnumerateRunes().All(IsAtext));

    private static bool IsAtext(Rune rune) => rune.IsAscii
        ? char.IsAsciiLetterOrDigit((char)rune.Value) || AtextSymbols.Contains((char)rune.Value)
        : Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    private static bool IsDomain(string domain, out string ascii)
    {
        ascii = "";
        if (domain.Length is 0 or > Limits.Email || domain.EndsWith('.')) return false;
        try
        {
            ascii = Idn.GetAscii(domain);
        }
        catch (ArgumentException)
        {
            return false;
        }
        var labels = ascii.Split('.');
        return ascii.Length <= 253 && labels.Length >= 2 && labels.All(IsLabel)
            // No top-level domain is a number (RFC 3696, 2): this is an IP address.
            && !labels[^1].All(char.IsAsciiDigit);
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    /// <summary>Uniqueness must be able to compare it: what it cannot is refused here, in words.</summary>
    private static bool IsComparable(string address)
    {
        try
        {
            EmailAddress.Normalize(address);
            return true;
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            return false;
        }
    }
}
