namespace Signup.EventLog.Accounts;

/// <summary>The names of activation mails in facts and in Message-IDs. A mail to one address says nothing about the account's next address, so it is part of the name.</summary>
public static class MailPurpose
{
    /// <param name="mail">Such as <c>activation</c> or <c>reminder-1</c>.</param>
    /// <param name="addressChanges">How often the account's address was replaced before.</param>
    public static string Of(string mail, int addressChanges) => mail + Suffix(addressChanges);

    /// <summary>The mail; null where it went to another of the account's addresses.</summary>
    public static string? MailOf(string purpose, int addressChanges)
    {
        var end = purpose.IndexOf('~', StringComparison.Ordinal) is >= 0 and var found ? found : purpose.Length;
        return purpose[end..] == Suffix(addressChanges) ? purpose[..end] : null;
    }

    private static string Suffix(int addressChanges) => addressChanges == 0 ? "" : $"~{addressChanges}";
}
