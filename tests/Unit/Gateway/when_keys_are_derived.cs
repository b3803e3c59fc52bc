using FsCheck.Xunit;
using Microsoft.Extensions.Configuration;
using Signup.Gateway;
using Signup.Gateway.SigningUp;
using Signup.Hosting;

namespace Signup.Tests.Unit.Gateway;

public class when_keys_are_derived
{
    private static readonly DerivedKeys Keys = new([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    // Calculated apart from this code: printf 'account\0api/order-1' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f, the version and variant bits set.
    [Fact]
    public void the_same_idempotency_key_is_the_same_account_on_every_gateway_for_ever() =>
        Assert.Equal(Guid.Parse("1face474-f048-8216-be4a-0722e6adbb03"), Keys.AccountId("api/order-1"));

    // Calculated apart from this code, with Python's hmac and cryptography: d = (HMAC(key, 'openid signing\0\0') || HMAC(key, 'openid signing\0\1')) mod (n - 1) + 1.
    [Fact]
    public void tokens_for_applications_are_signed_with_the_same_key_on_every_gateway_for_ever()
    {
        using var signing = Keys.OpenIdSigning();
        var q = signing.ExportParameters(includePrivateParameters: false).Q;
        Assert.Equal("54BE3077292C115DC124169373136C89E286F01A972081DC28D523966CA7974A", Convert.ToHexString(q.X!));
        Assert.Equal("6C4BAC67CD9D758026DFDE81B85FDA5644519F21AB55E0514D7B15F6C69D2AD7", Convert.ToHexString(q.Y!));
        Assert.Equal("610DDEDFD38D9C79593A9A92AE503366AD61C7DAA8B3828AECD69523DCA1D1A6", Convert.ToHexString(Keys.OpenIdEncryption()));
    }

    [Property]
    public bool whatever_the_key_is_it_makes_one_to_sign_with(Guid one, Guid other)
    {
        using var signing = new DerivedKeys([.. one.ToByteArray(), .. other.ToByteArray()]).OpenIdSigning();
        var digest = new byte[32];
        return signing.VerifyHash(digest, signing.SignHash(digest));
    }

    [Property]
    public bool it_is_a_uuid_of_version_8(string? key)
    {
        var text = Keys.AccountId(key ?? "").ToString();
        return text[14] == '8' && text[19] is '8' or '9' or 'a' or 'b';
    }

    [Property]
    public bool other_keys_are_other_accounts(string? one, string? other) =>
        (one ?? "") == (other ?? "") || System.Text.Encoding.UTF8.GetBytes(one ?? "").AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(other ?? ""))
        || Keys.AccountId(one ?? "") != Keys.AccountId(other ?? "");

    [Fact]
    public void another_signing_key_gives_other_accounts_and_salts()
    {
        var others = new DerivedKeys(new byte[32]);
        Assert.NotEqual(Keys.AccountId("a"), others.AccountId("a"));
        Assert.NotEqual(Keys.Salt(Guid.Empty), others.Salt(Guid.Empty));
    }

    [Fact]
    public void of_several_signing_keys_the_first_is_derived_from_and_what_the_others_gave_is_known()
    {
        var (old, young) = (new DerivedKeys(new byte[32]), new DerivedKeys([.. Enumerable.Repeat((byte)1, 32)]));
        var both = new DerivedKeys([.. Enumerable.Repeat((byte)1, 32)], new byte[32]);
        Assert.Equal(young.AccountId("a"), both.AccountId("a"));
        var other = Assert.Single(both.Others);
        Assert.Equal(old.AccountId("a"), other.AccountId("a"));
        Assert.Equal(old.Salt(Guid.Empty), other.Salt(Guid.Empty));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no key at all")]
    [InlineData("c2hvcnQ=")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,c2hvcnQ=")]
    public void what_is_no_list_of_signing_keys_is_refused_with_words_that_say_what_it_must_be(string setting)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Signup:SigningKey", setting)]).Build();
        Assert.Contains("Signup:SigningKey", Assert.Throws<InvalidOperationException>(() => Settings.SigningKeys(configuration)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=, AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 2)]
    public void signing_keys_have_commas_between(string setting, int count) =>
        Assert.Equal(count, Settings.SigningKeys(new ConfigurationBuilder().AddInMemoryCollection([new("Signup:SigningKey", setting)]).Build()).Count);

    [Property]
    public bool each_account_has_its_own_salt_and_always_the_same(Guid one, Guid other) =>
        Keys.Salt(one).Length == DerivedKeys.SaltLength && Keys.Salt(one).AsSpan().SequenceEqual(Keys.Salt(one))
        && (one == other || !Keys.Salt(one).AsSpan().SequenceEqual(Keys.Salt(other)));

    [Theory]
    [InlineData("a", true)]
    [InlineData("8e03978e-40d5-43e8-bc93-6894a57f9324", true)]
    [InlineData("!~", true)]
    [InlineData("", false)]
    [InlineData("two words", false)]
    [InlineData("tab\t", false)]
    [InlineData("schlüssel", false)]
    public void an_idempotency_key_is_visible_ascii(string key, bool valid) => Assert.Equal(valid, SignUpRoutes.TryReadKey(key, out _));

    [Fact]
    public void an_idempotency_key_has_at_most_255_characters_and_comes_once()
    {
        Assert.True(SignUpRoutes.TryReadKey(new string('k', 255), out var key));
        Assert.Equal(255, key!.Length);
        Assert.False(SignUpRoutes.TryReadKey(new string('k', 256), out _));
        Assert.False(SignUpRoutes.TryReadKey(new(["one", "two"]), out _));
        Assert.True(SignUpRoutes.TryReadKey(new(), out key));
        Assert.Null(key);
    }
}
