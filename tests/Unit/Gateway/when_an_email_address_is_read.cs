using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Signup.EventLog;
using Signup.Gateway.SigningUp;

namespace Signup.Tests.Unit.Gateway;

public class when_an_email_address_is_read
{
    [Theory]
    [InlineData("ada@example.org")]
    [InlineData("Ada.Lovelace+news@mail.example.co.uk")]
    [InlineData("a@b.cd")]
    [InlineData("o'brien@example.ie")]
    [InlineData("!#$%&'*+-/=?^_`{|}~@example.org")]
    [InlineData("user@xn--mnchen-3ya.de")]
    [InlineData("user@münchen.de")]
    [InlineData("用户@例子.广告")]
    [InlineData("jörg@example.de")]
    [InlineData("ada@123.example.org")]
    [InlineData("ada@3com.com")]
    public void an_address_that_mail_can_reach_is_taken(string address) => Assert.True(EmailSyntax.IsValid(address));

    [Theory]
    [InlineData("ada")]
    [InlineData("@example.org")]
    [InlineData("ada@")]
    [InlineData("ada@example")]
    [InlineData("ada@@example.org")]
    [InlineData("ada@bob@example.org")]
    [InlineData("ada lovelace@example.org")]
    [InlineData("ada@exam ple.org")]
    [InlineData(".ada@example.org")]
    [InlineData("ada.@example.org")]
    [InlineData("ada..lovelace@example.org")]
    [InlineData("\"ada lovelace\"@example.org")]
    [InlineData("ada(comment)@example.org")]
    [InlineData("ada,bob@example.org")]
    [InlineData("<ada@example.org>")]
    [InlineData("Ada <ada@example.org>")]
    [InlineData("ada@[127.0.0.1]")]
    [InlineData("ada@[IPv6:::1]")]
    [InlineData("ada@127.0.0.1")]
    [InlineData("ada@example.org.")]
    [InlineData("ada@.example.org")]
    [InlineData("ada@example..org")]
    [InlineData("ada@-example.org")]
    [InlineData("ada@example-.org")]
    [InlineData("ada@exam_ple.org")]
    [InlineData("ada@example.123")]
    [InlineData("a\u200Bda@example.org")]
    [InlineData("ada\u00A0b@example.org")]
    [InlineData("ada@xn--a.org")]
    public void anything_else_is_refused(string address) => Assert.False(EmailSyntax.IsValid(address));

    [Fact]
    public void the_local_part_has_at_most_64_octets()
    {
        Assert.True(EmailSyntax.IsValid(new string('a', 64) + "@example.org"));
        Assert.False(EmailSyntax.IsValid(new string('a', 65) + "@example.org"));
        Assert.True(EmailSyntax.IsValid(new string('ö', 32) + "@example.org"));
        Assert.False(EmailSyntax.IsValid(new string('ö', 33) + "@example.org"));
    }

    [Fact]
    public void a_label_has_at_most_63_characters()
    {
        Assert.True(EmailSyntax.IsValid($"ada@{new string('a', 63)}.org"));
        Assert.False(EmailSyntax.IsValid($"ada@{new string('a', 64)}.org"));
    }

    [Property]
    public bool nothing_makes_it_fail_and_whatever_passes_uniqueness_can_compare(string? text)
    {
        var address = text ?? "";
        return !EmailSyntax.IsValid(address) || EmailAddress.Normalize(address).Length > 0;
    }

    [Property]
    public Property an_address_put_together_by_the_rules_is_taken_in_either_case() => Prop.ForAll(Addresses, address =>
        EmailSyntax.IsValid(address) && EmailSyntax.IsValid(address.ToUpperInvariant()));

    [Property]
    public Property an_address_with_anything_outside_the_rules_put_into_its_local_part_is_refused() => Prop.ForAll(Addresses, Bad, (address, bad) =>
        !EmailSyntax.IsValid(address.Insert(address.IndexOf('@'), bad.ToString())));

    private static Arbitrary<char> Bad => Gen.Elements("@ ()<>[]:;,\\\"\t\r\n\0\u007f\u2028\u200b".ToCharArray()).ToArbitrary();

    private static Arbitrary<string> Addresses
    {
        get
        {
            var letter = Gen.Elements("abcdefghijklmnopqrstuvwxyz0123456789".ToCharArray());
            var atext = Gen.OneOf(letter, Gen.Elements("!#$%&'*+-/=?^_`{|}~".ToCharArray()));
            var atom = Text(atext, 1, 12);
            var label = from first in letter from middle in Text(Gen.OneOf(letter, Gen.Constant('-')), 0, 8).Where(m => !m.Contains("--")) from last in letter select first + middle + last;
            var local = from atoms in Gen.ListOf(atom, 3) select string.Join('.', atoms);
            return (from l in local from labels in Gen.ListOf(label.Where(x => !x.Contains("--")), 2) from top in Gen.Elements("org", "de", "museum", "xn--p1ai") select $"{l}@{string.Join('.', labels)}.{top}").ToArbitrary();
        }
    }

    private static Gen<string> Text(Gen<char> of, int least, int most) =>
        from length in Gen.Choose(least, most) from letters in Gen.ListOf(of, length) select new string([.. letters]);
}
