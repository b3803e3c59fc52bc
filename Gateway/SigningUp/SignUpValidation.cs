using System.Globalization;
using System.Text;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Gateway.Passwords;

namespace Signup.Gateway.SigningUp;

/// <summary>What a field can be refused for. Each has its words in <see cref="Pages.Texts"/>.</summary>
public enum Fault { NotText, Blank, ControlCharacter, Invisible, TooLong, NotAnAddress, PasswordTooShort, PasswordTooLong, PasswordTooCommon, PasswordIsOwn }

public sealed record FieldError(string Field, Fault Fault);

/// <summary>A sign-up as it goes on: checked, without white space around name and address, the password prepared for hashing.</summary>
public sealed record ValidSignUp(string Username, string Email, string Password);

/// <summary>The rules of the form. One error a field, the first that applies, so that each says one thing to do.</summary>
public static class SignUpValidation
{
    public static (ValidSignUp? Valid, IReadOnlyList<FieldError> Errors) Check(SignUpFields fields)
    {
        var errors = new List<FieldError>();
        Add(Field.Username, CheckUsername(fields.Username));
        Add(Field.Email, CheckEmail(fields.Email));
        Add(Field.Password, CheckNewPassword(fields.Password, fields.Username, fields.Email, out var password));
        return errors.Count > 0 ? (null, errors) : (new ValidSignUp(fields.Username!.Trim(), fields.Email!.Trim(), password), errors);

        void Add(string field, Fault? fault)
        {
            if (fields.Malformed.Contains(field)) fault = Fault.NotText;
            if (fault is { } f) errors.Add(new FieldError(field, f));
        }
    }

    public static Fault? CheckUsername(string? typed)
    {
        if (CheckLine(typed) is { } fault) return fault;
        var name = typed!.Trim();
        if (IsInvisible(name.EnumerateRunes().First()) || IsInvisible(name.EnumerateRunes().Last())) return Fault.Invisible;
        return Length(name) > Limits.Username ? Fault.TooLong : null;
    }

    public static Fault? CheckEmail(string? typed)
    {
        if (CheckLine(typed) is { } fault) return fault;
        var address = typed!.Trim();
        if (Length(address) > Limits.Email) return Fault.TooLong;
        return EmailSyntax.IsValid(address) ? null : Fault.NotAnAddress;
    }

    /// <param name="password">Prepared for hashing.</param>
    public static Fault? CheckNewPassword(string? typed, string? username, string? email, out string password)
    {
        if (ReadPassword(typed, out password) is { } fault) return fault;
        if (Length(password) < Password.MinLength) return Fault.PasswordTooShort;
        if (CommonPasswords.Contain(password)) return Fault.PasswordTooCommon;
        return IsOwn(typed!, username, email) ? Fault.PasswordIsOwn : null;
    }

    /// <summary>Whether it can be anybody's password. What makes a good one is not asked: it may have been taken under other rules.</summary>
    /// <param name="password">Prepared for hashing.</param>
    public static Fault? ReadPassword(string? typed, out string password)
    {
        password = "";
        if (IsBlank(typed)) return Fault.Blank;
        if (!IsWellFormed(typed)) return Fault.NotText;
        if (typed.Any(char.IsControl) || !PlainText.IsPlain(typed)) return Fault.ControlCharacter;
        // Before it is prepared, too: preparing takes time by the length.
        if (typed.Length > Password.MaxLength * 8) return Fault.PasswordTooLong;
        password = Password.Prepare(typed);
        return Length(password) > Password.MaxLength ? Fault.PasswordTooLong : null;
    }

    /// <summary>Words of the person's own are the first that attackers try (NIST SP 800-63B, 5.1.1.2).</summary>
    private static bool IsOwn(string password, string? username, string? email) => new[] { username, email, email?.Split('@')[0] }
        .Any(own => own is not null && own.Trim().Equals(password.Trim(), StringComparison.OrdinalIgnoreCase));

    /// <summary>Name and address appear in mails, on pages and in headers: one line, and no character that makes text look like other text.</summary>
    private static Fault? CheckLine(string? typed)
    {
        if (IsBlank(typed)) return Fault.Blank;
        if (!IsWellFormed(typed)) return Fault.NotText;
        return !PlainText.IsPlain(typed) || typed.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069')) ? Fault.ControlCharacter : null;
    }

    /// <summary>Nothing in it can be seen. Some letters cannot, either.</summary>
    private static bool IsBlank([System.Diagnostics.CodeAnalysis.NotNullWhen(false)] string? text) => text is null || text.EnumerateRunes().All(rune =>
        Rune.IsWhiteSpace(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.Control
        || rune.Value is 0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x2800);

    /// <summary>At an end of a name nobody has typed it on purpose, and two names differ by it that look the same. But for tags, which end the flags of some countries.</summary>
    private static bool IsInvisible(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format && rune.Value is < 0xE0000 or > 0xE007F;

    /// <summary>No half of a surrogate pair.</summary>
    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }
        return true;
    }

    private static int Length(string text) => text.EnumerateRunes().Count();
}
