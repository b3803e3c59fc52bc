using System.Globalization;
using System.Text;

namespace Signup.EventLog;

/// <summary>When two e-mail addresses are the same address.</summary>
public static class EmailAddress
{
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <summary>The form in which addresses are compared: trimmed, Unicode NFC, the domain as lower-case ASCII (IDNA, RFC 5891),
    /// the local part case-folded. Mail still goes to the address as typed.</summary>
    /// <exception cref="FormatException">Not an address: no <c>@</c>, nothing beside it, a domain that cannot be, or no plain text.</exception>
    public static string Normalize(string address)
    {
        var nfc = PlainText.Compose(address.Trim());
        var at = nfc.LastIndexOf('@');
        if (at <= 0 || at == nfc.Length - 1) throw new FormatException("An e-mail address has the form name@domain.");
        try
        {
            var domain = Idn.GetAscii(nfc[(at + 1)..].TrimEnd('.')).ToLowerInvariant();
            return $"{CaseFold(nfc[..at])}@{domain}";
        }
        catch (ArgumentException e)
        {
            throw new FormatException("The part of an e-mail address behind the @ must be a domain name.", e);
        }
    }

    /// <summary>The form in which a text is compared that should be an address: <see cref="Normalize"/>, or where it is none, case-folded.</summary>
    public static string Comparable(string text)
    {
        try
        {
            return Normalize(text);
        }
        catch (FormatException)
        {
            return PlainText.IsPlain(text) ? CaseFold(text) : text;
        }
    }

    public static bool IsOne(string text) => AreSame(text, text);

    /// <summary>Whether both are addresses, and the same one.</summary>
    public static bool AreSame(string one, string other)
    {
        try
        {
            return Normalize(one) == Normalize(other);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Text that differs in case only becomes equal. Upper-casing first folds what lower-casing alone keeps apart
    /// (such as ſ and s); NFC again, since folding can decompose.</summary>
    /// <exception cref="FormatException">It is no plain text.</exception>
    public static string CaseFold(string text) =>
        PlainText.Compose(text.Trim()).ToUpperInvariant().ToLowerInvariant().Normalize(NormalizationForm.FormC);
}
