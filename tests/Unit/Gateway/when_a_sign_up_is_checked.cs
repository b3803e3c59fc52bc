using System.Globalization;
using FsCheck.Xunit;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningUp;

namespace Signup.Tests.Unit.Gateway;

public class when_a_sign_up_is_checked
{
    private static readonly SignUpFields Good = new("Ada", "ada@example.org", "correct horse battery", []);

    [Fact]
    public void good_fields_pass_without_the_white_space_around_name_and_address()
    {
        var (valid, errors) = SignUpValidation.Check(Good with { Username = "  Ada  Lovelace ", Email = " Ada@Example.org ", Password = " keep my spaces " });

        Assert.Empty(errors);
        Assert.Equal(new ValidSignUp("Ada  Lovelace", "Ada@Example.org", " keep my spaces "), valid);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("\u00A0\u2003\u3000")]
    [InlineData("\u200B\u200D\uFEFF")]
    [InlineData("\u3164")]
    [InlineData("\t\r\n")]
    public void what_shows_nothing_is_blank_in_every_field(string? blank) => Assert.Equal(
        [(Field.Username, Fault.Blank), (Field.Email, Fault.Blank), (Field.Password, Fault.Blank)],
        Faults(new SignUpFields(blank, blank, blank, [])));

    [Theory]
    [InlineData("a\rb")]
    [InlineData("a\nb")]
    [InlineData("a\tb")]
    [InlineData("a\0b")]
    [InlineData("a\u007Fb")]
    [InlineData("a\u0085b")]
    [InlineData("ab\r\n")]
    [InlineData("a\uFFFEb")]
    [InlineData("a\uFDD0b")]
    [InlineData("a\U0001FFFFb")]
    public void a_control_character_is_refused_in_every_field(string bad) => Assert.Equal(
        [(Field.Username, Fault.ControlCharacter), (Field.Email, Fault.ControlCharacter), (Field.Password, Fault.ControlCharacter)],
        Faults(new SignUpFields(bad, bad + "@example.org", bad + " long enough", [])));

    [Theory]
    [InlineData("a\u2028b")]
    [InlineData("a\u202Eb")]
    [InlineData("a\u2066b")]
    public void what_breaks_a_line_or_turns_text_around_is_refused_in_name_and_address(string bad) => Assert.Equal(
        [(Field.Username, Fault.ControlCharacter), (Field.Email, Fault.ControlCharacter)],
        Faults(Good with { Username = bad, Email = bad + "@example.org" }));

    [Theory]
    [InlineData("\uFEFFZoë")]
    [InlineData("Zoë\u200B")]
    [InlineData("Zoë\u180E ")]
    public void what_nobody_sees_is_refused_at_either_end_of_a_name(string name) => Assert.Equal([(Field.Username, Fault.Invisible)], Faults(Good with { Username = name }));

    [Fact]
    public void half_a_surrogate_pair_is_no_text() => Assert.Equal(
        [(Field.Username, Fault.NotText), (Field.Email, Fault.NotText), (Field.Password, Fault.NotText)],
        Faults(new SignUpFields("a\ud800b", "\udc00a@example.org", "long enough \ud83d", [])));

    [Fact]
    public void a_field_that_held_no_text_is_said_to_need_one() =>
        Assert.Equal([(Field.Email, Fault.NotText)], Faults(Good with { Email = null, Malformed = [Field.Email] }));

    [Theory]
    [InlineData("李")]
    [InlineData("Zoë Ångström")]
    [InlineData("محمد")]
    [InlineData("👩‍👩‍👧‍👦")]
    [InlineData("🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F")]
    [InlineData("O'Brien; DROP TABLE users --")]
    [InlineData("<script>alert(1)</script>")]
    public void any_name_is_a_name(string name) => Assert.Empty(Faults(Good with { Username = name }));

    [Fact]
    public void a_name_has_at_most_64_characters_whatever_they_take_in_memory()
    {
        Assert.Empty(Faults(Good with { Username = Repeat("🦊", 64) }));
        Assert.Equal([(Field.Username, Fault.TooLong)], Faults(Good with { Username = Repeat("🦊", 65) }));
        Assert.Equal([(Field.Username, Fault.TooLong)], Faults(Good with { Username = new string('a', 65) }));
    }

    [Fact]
    public void an_address_has_at_most_254_characters()
    {
        var local = new string('a', 64);
        Assert.Empty(Faults(Good with { Email = $"{local}@{Domain(254 - 65)}" }));
        Assert.Equal([(Field.Email, Fault.TooLong)], Faults(Good with { Email = $"{local}@{Domain(255 - 65)}" }));
    }

    [Fact]
    public void a_password_has_8_to_256_characters_whatever_they_take_in_memory()
    {
        Assert.Equal([(Field.Password, Fault.PasswordTooShort)], Faults(Good with { Password = "ab12#xy" }));
        Assert.Empty(Faults(Good with { Password = "ab12#xyz" }));
        Assert.Equal([(Field.Password, Fault.PasswordTooShort)], Faults(Good with { Password = Repeat("🦊", 7) }));
        Assert.Empty(Faults(Good with { Password = Repeat("🦊", 256) }));
        Assert.Equal([(Field.Password, Fault.PasswordTooLong)], Faults(Good with { Password = Repeat("🦊", 257) }));
        Assert.Equal([(Field.Password, Fault.PasswordTooLong)], Faults(Good with { Password = new string('x', 16_000) }));
    }

    [Fact]
    public void an_accent_typed_apart_counts_once() =>
        Assert.Equal([(Field.Password, Fault.PasswordTooShort)], Faults(Good with { Password = "a\u0308b\u0308x\u0308yzo\u0308" }));

    [Theory]
    [InlineData("password")]
    [InlineData("PASSWORD")]
    [InlineData("Password123")]
    [InlineData("12345678")]
    [InlineData("1234567890")]
    [InlineData("qwertyuiop")]
    [InlineData("iloveyou")]
    [InlineData("11111111")]
    [InlineData("abcdefgh")]
    [InlineData("12341234")]
    [InlineData("trustno1")]
    [InlineData("Кристина")]
    public void a_common_password_is_refused_in_any_case(string password) =>
        Assert.Equal([(Field.Password, Fault.PasswordTooCommon)], Faults(Good with { Password = password }));

    [Theory]
    [InlineData("Augusta Ada King")]
    [InlineData("augusta ada king ")]
    [InlineData("ada.lovelace@example.org")]
    [InlineData("Ada.Lovelace")]
    public void ones_own_name_or_address_is_no_password(string password) =>
        Assert.Equal([(Field.Password, Fault.PasswordIsOwn)], Faults(Good with { Username = "Augusta Ada King", Email = "ada.lovelace@example.org", Password = password }));

    [Theory]
    [InlineData("password is a poor word")]
    [InlineData("aaaaaaaab")]
    [InlineData("eight ch")]
    public void nothing_is_asked_of_a_password_but_its_length_and_that_it_is_not_common(string password) => Assert.Empty(Faults(Good with { Password = password }));

    [Fact]
    public void the_list_of_common_passwords_is_whole() => Assert.InRange(CommonPasswords.Count, 10_000, 20_000);

    [Fact]
    public void each_field_gets_one_error() =>
        Assert.Equal([(Field.Username, Fault.Blank), (Field.Email, Fault.NotAnAddress), (Field.Password, Fault.PasswordTooShort)], Faults(new SignUpFields(" ", "ada", "short", [])));

    [Property]
    public bool whatever_is_typed_there_is_an_answer_and_what_passes_keeps_its_limits(string? username, string? email, string? password)
    {
        var (valid, errors) = SignUpValidation.Check(new SignUpFields(username, email, password, []));
        return valid is null
            ? errors.Count is >= 1 and <= 3
            : errors.Count == 0 && new StringInfo(valid.Username).LengthInTextElements <= 64 && valid.Password.EnumerateRunes().Count() is >= 8 and <= 256;
    }

    private static IEnumerable<(string, Fault)> Faults(SignUpFields fields) => SignUpValidation.Check(fields).Errors.Select(e => (e.Field, e.Fault));

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    /// <summary>A domain of that many characters.</summary>
    private static string Domain(int length)
    {
        var labels = new List<string>();
        for (var left = length - ".org".Length; left > 0; left -= labels[^1].Length + 1) labels.Add(new string('d', left is > 63 and < 66 ? 60 : Math.Min(63, left)));
        var domain = string.Join('.', labels) + ".org";
        Assert.Equal(length, domain.Length);
        return domain;
    }
}
