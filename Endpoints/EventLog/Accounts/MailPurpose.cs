using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Signup.EventLog.Accounts;

/// <summary>The names of mails in facts and in Message-IDs. A mail to one address says nothing about the account's next address, so it is part of the name.</summary>
public static partial class MailPurpose
{
    /// <param name="mail">Such as <c>activation</c> or <c>reminder-1</c>.</param>
    /// <param name="addressChanges">How often the account's address was replaced before.</param>
    public static string Of(string mail, int addressChanges) => mail + Suffix(addressChanges);

    /// <summary>Of a mail to an address that the account is to have, and may never get.</summary>
    public static string OfWanted(string mail) => mail + "~wanted";

    /// <summary>The mail; null where it went to another address than this one of the account's.</summary>
    public static string? MailOf(string purpose, int addressChanges)
    {
        var end = purpose.IndexOf('~', StringComparison.Ordinal) is >= 0 and var found ? found : purpose.Length;
        return purpose[end..] == Suffix(addressChanges) ? purpose[..end] : null;
    }

    /// <summary>Whether it is this mail, whichever of the account's addresses it went to.</summary>
    public static bool IsOf(string purpose, string mail) => purpose.Split('~')[0] == mail;

    /// <summary>What stands before the host in the mail's Message-ID.</summary>
    public static string NameOf(string purpose, Guid accountId) => $"{purpose}.{accountId}";

    /// <summary>Reads what <see cref="NameOf"/> has written.</summary>
    /// <param name="text">A Message-ID (RFC 5322, 3.6.4), with or without its angle brackets, or the name in it alone.</param>
    /// <returns>False for a mail that is none of ours.</returns>
    public static bool TryRead(string text, out Guid accountId, out string purpose)
    {
        var name = Name().Match(text);
        (accountId, purpose) = name.Success ? (Guid.Parse(name.Groups["account"].Value), name.Groups["purpose"].Value) : (Guid.Empty, "");
        return name.Success;
    }

    /// <summary>Whether it is a word such as <c>mailbox-full</c>, and no text that may quote an address.</summary>
    public static bool IsClassOfReasons([NotNullWhen(true)] string? text) => text is not null && ClassOfReasons().IsMatch(text);

    [GeneratedRegex(@"^[a-z][a-z0-9-]{0,39}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ClassOfReasons();

    [GeneratedRegex("""^\s*<?(?<purpose>[a-z][a-z0-9-]{0,39}(~([0-9]{1,9}|wanted))?)\.(?<account>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})(@[^<>@\s]*)?>?\s*$""", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    private static string Suffix(int addressChanges) => addressChanges == 0 ? "" : $"~{addressChanges}";
}
