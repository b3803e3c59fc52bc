using FsCheck.Xunit;
using Signup.EventLog;

namespace Signup.Tests.Unit.EventLog;

public class when_comparing_email_addresses
{
    [Theory]
    [InlineData("ada@example.org", " Ada@EXAMPLE.org ")]
    [InlineData("jörg@bücher.example", "JÖRG@xn--bcher-kva.example")] // IDN in either form, umlauts in either case
    [InlineData("jo\u0308rg@example.org", "j\u00f6rg@example.org")] // composed and decomposed
    [InlineData("straße@example.org", "STRASSE@example.org", false)] // ß is a letter of its own
    [InlineData("ada@example.org", "ada+news@example.org", false)] // what a provider makes of a plus is its business
    [InlineData("ada@example.org", "ada@example.org.")]
    [InlineData("ſam@example.org", "sam@example.org")]
    public void two_spellings_are_one_address_or_not(string one, string other, bool same = true) =>
        Assert.Equal(same, EmailAddress.Normalize(one) == EmailAddress.Normalize(other));

    [Theory]
    [InlineData("ada")]
    [InlineData("@example.org")]
    [InlineData("ada@")]
    [InlineData("ada@exa mple.org")]
    [InlineData("ada@-example.org")]
    [InlineData("ada\uFFFE@example.org")]
    [InlineData("ada\0@example.org")]
    public void what_is_no_address_is_refused(string text) => Assert.Throws<FormatException>(() => EmailAddress.Normalize(text));

    [Property]
    public bool folding_twice_changes_nothing(string? text) =>
        text is null || !PlainText.IsPlain(text) || EmailAddress.CaseFold(EmailAddress.CaseFold(text)) == EmailAddress.CaseFold(text);
}
