using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using MimeKit;
using Signup.EventLog.Accounts;
using Signup.Hosting;

namespace Signup.Mail;

/// <summary>Writes the mails, from templates that anyone can edit.</summary>
public sealed partial class MailComposer
{
    /// <summary>Headers that mails have already.</summary>
    private static readonly HashSet<string> Own = new(["From", "Sender", "To", "Cc", "Bcc", "Date", "Subject", "Message-ID", "MIME-Version", "Auto-Submitted", "X-Auto-Response-Suppress", "DKIM-Signature"], StringComparer.OrdinalIgnoreCase);

    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    private readonly MailTemplates _templates;
    private readonly SignedTokens _tokens;
    private readonly Uri _publicUrl;
    private readonly MailboxAddress _from;
    private readonly Dkim? _dkim;
    private readonly IReadOnlyList<(string Name, string Value)> _headers;

    /// <param name="publicUrl">What links begin with.</param>
    /// <param name="from">The sender; empty: <c>no-reply@</c> the host of <paramref name="publicUrl"/>.</param>
    /// <param name="dkim">Null: mails are not signed.</param>
    /// <param name="headers">See <see cref="MailSettings.Headers"/>.</param>
    /// <exception cref="InvalidOperationException">A setting is wrong. Says which.</exception>
    public MailComposer(MailTemplates templates, string publicUrl, string from, SignedTokens tokens, Dkim? dkim = null, IEnumerable<string>? headers = null)
    {
        (_templates, _tokens, _publicUrl, _dkim, _headers) = (templates, tokens, BaseOfLinks(publicUrl), dkim, [.. (headers ?? []).Select(Header)]);
        _from = Sender(from, _publicUrl);
    }

    /// <exception cref="InvalidOperationException">It is none. Says so.</exception>
    internal static Uri BaseOfLinks(string publicUrl) => Uri.TryCreate(publicUrl, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https")
        ? url
        : throw new InvalidOperationException("The setting Signup:PublicUrl must be an absolute http or https address: the links in mails begin with it.");

    /// <exception cref="InvalidOperationException">It is none. Says so.</exception>
    internal static MailboxAddress Sender(string from, Uri publicUrl) => MailboxAddress.TryParse(from.Length > 0 ? from : $"no-reply@{Host(publicUrl)}", out var sender)
        ? sender
        : throw new InvalidOperationException("The setting Mail:From must be a mail address, such as: Signup <no-reply@example.com>");

    /// <exception cref="InvalidOperationException">It is none. Says so.</exception>
    internal static (string Name, string Value) Header(string line)
    {
        var parts = HeaderLine().Match(line);
        if (!parts.Success || Own.Contains(parts.Groups[1].Value) || parts.Groups[1].Value.StartsWith("Content-", StringComparison.OrdinalIgnoreCase))
            throw new InvalidOperationException($"The setting Mail:Headers must hold lines such as \"X-Campaign: signup\", of headers that no mail has anyway; this is none: {line}");
        return (parts.Groups[1].Value, parts.Groups[2].Value);
    }

    /// <param name="linkExpires">End of the link's validity. The same account, address and end give the same link.</param>
    /// <returns>Null where no mail can be addressed to what the account has as its address.</returns>
    public MimeMessage? Compose(Activation account, string purpose, DateTimeOffset linkExpires, DateTimeOffset now)
    {
        if (Recipient(account.Email) is not { } recipient) return null;
        var kind = MailKind.Of(purpose);
        var template = _templates.Find(kind.Name, account.Language);
        var values = new MailValues(
            Username: Harmless(account.Username),
            Link: kind.Link is { } link ? $"{_publicUrl.AbsoluteUri.TrimEnd('/')}/{link.Path}?token={_tokens.Issue(link.TokenPurpose, account.AccountId, linkExpires, link.Generation(account))}" : "",
            Site: _publicUrl.IsDefaultPort ? _publicUrl.Host : _publicUrl.Authority,
            Expires: linkExpires.UtcDateTime);

        var mail = new MimeMessage
        {
            Date = now,
            Subject = template.Subject.Fill(values),
            // The same for every copy of one mail, so that mail programs and people can tell a copy from a new mail.
            MessageId = $"{MailPurpose.NameOf(purpose, account.AccountId)}@{Host(_publicUrl)}",
            Body = new MultipartAlternative
            {
                new TextPart("plain") { Text = template.Text.Fill(values) },
                new TextPart("html") { Text = template.Html.Fill(values, WebUtility.HtmlEncode!) },
            },
        };
        // One of its own: a list listens to its addresses' changes, so an address that all mails shared would keep all mails in memory.
        mail.From.Add(_from.Clone());
        mail.To.Add(recipient);
        // RFC 3834, 5: so that vacation notices and other robots do not answer. List-Unsubscribe (RFC 8058) is for lists: these mails
        // go once to whoever asked for them, and there is nothing to unsubscribe from.
        mail.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        mail.Headers.Add("X-Auto-Response-Suppress", "All");
        mail.Headers.Add(HeaderId.ContentLanguage, template.Culture.Name);
        foreach (var (name, value) in _headers) mail.Headers.Add(name, value.Replace("{mail}", MailPurpose.NameOf(purpose, account.AccountId), StringComparison.Ordinal));
        _dkim?.Sign(mail);
        return mail;
    }

    private static MailboxAddress? Recipient(string address)
    {
        if (address.Any(char.IsControl) || address.Trim().Split('@') is not [.., var domain] || domain.Length == address.Length) return null;
        try
        {
            var mailbox = new MailboxAddress(null, address.Trim());
            // Where only the domain is international any server can take the mail: as A-labels (RFC 5890), whatever the dots between them were.
            return mailbox.LocalPart.All(char.IsAscii) && !domain.All(char.IsAscii)
                ? new MailboxAddress(null, $"{mailbox.LocalPart}@{Idn.GetAscii(domain)}")
                : mailbox;
        }
        catch (Exception e) when (e is ParseException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>One line; and nothing that a mail program would make a link of: else anyone could have us carry an advertisement to a
    /// stranger, as a user name. One that is written from right to left does not turn around what stands beside it.</summary>
    private static string Harmless(string username)
    {
        var line = string.Concat(username.Where(c => c is not (>= '\u202A' and <= '\u202E' or >= '\u2066' and <= '\u2069'))
            .Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)).Trim();
        // U+2060 WORD JOINER: not seen, but it ends what looks like an address.
        var name = LinkLike().Replace(line, "$0\u2060");
        // FIRST STRONG ISOLATE … POP DIRECTIONAL ISOLATE (UAX 9, 2.4.2). Before Hebrew (U+0590) no script needs it, and old programs show it as boxes.
        return line.Any(c => c >= '\u0590') ? $"\u2068{name}\u2069" : name;
    }

    private static string Host(Uri url) => url.HostNameType is UriHostNameType.Dns ? url.IdnHost : $"[{url.Host.Trim('[', ']')}]";

    [GeneratedRegex(@"^([A-Za-z0-9-]+): *([ -~]*[!-~]) *$", RegexOptions.CultureInvariant)]
    private static partial Regex HeaderLine();

    [GeneratedRegex(@"[:/@\\]|\.(?=\p{L})", RegexOptions.CultureInvariant)]
    private static partial Regex LinkLike();
}
