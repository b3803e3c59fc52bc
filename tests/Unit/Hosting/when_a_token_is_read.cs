using System.Security.Cryptography;
using Signup.Hosting;

namespace Signup.Tests.Unit.Hosting;

public class when_a_token_is_read
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
    private static readonly Guid Id = Guid.NewGuid();

    [Fact]
    public void it_names_the_account_until_it_expires()
    {
        var token = At(Now).Issue("activation", Id, Now.AddDays(7));

        Assert.Equal((TokenState.Valid, Id), Read(At(Now.AddDays(7).AddSeconds(-1)), token));
        Assert.Equal((TokenState.Expired, Id), Read(At(Now.AddDays(7)), token));
    }

    [Fact]
    public void the_same_account_and_expiry_always_give_the_same_token() =>
        Assert.Equal(At(Now).Issue("activation", Id, Now.AddDays(7)), At(Now.AddDays(3)).Issue("activation", Id, Now.AddDays(7)));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8_388_607)]
    public void it_names_what_was_current_when_it_was_issued(int generation)
    {
        var token = At(Now).Issue("activation", Id, Now.AddDays(7), generation);

        Assert.Equal((TokenState.Valid, generation), (At(Now).Read("activation", token, out _, out var read), read));
        Assert.Equal(TokenState.Expired, At(Now.AddDays(7)).Read("activation", token, out _, out _));
        Assert.Equal(TokenState.Valid, At(Now).Read("activation", At(Now).Issue("activation", Id, new(9999, 12, 31, 0, 0, 0, TimeSpan.Zero), generation), out _, out _));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(8_388_608)]
    public void there_are_only_so_many_generations(int generation) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => At(Now).Issue("activation", Id, Now, generation));

    /// <summary>Made elsewhere: base64url of account, Unix seconds (64 bits), and HMAC-SHA256 of <c>activation</c>, 0, and these.</summary>
    [Fact]
    public void links_that_are_in_mails_since_before_there_were_generations_are_valid_for_the_first()
    {
        const string token = "AZnTonscfjqdUj8fDIpOEQAAAABrDUkgvfc0fh-I2NVyNXFtLJKJLtma4M22AnUCmhsw2_FFdsE";
        var tokens = new SignedTokens([[.. Enumerable.Range(0, 32).Select(i => (byte)i)]], new Clock(Now));

        Assert.Equal((TokenState.Valid, Guid.Parse("0199d3a2-7b1c-7e3a-9d52-3f1f0c8a4e11"), 0), (tokens.Read("activation", token, out var id, out var generation), id, generation));
    }

    [Fact]
    public void one_purpose_is_not_another() =>
        Assert.Equal(TokenState.Invalid, At(Now).Read("status", At(Now).Issue("activation", Id, Now.AddDays(7)), out _));

    [Fact]
    public void another_key_is_foreign() =>
        Assert.Equal(TokenState.Invalid, At(Now).Read("activation", new SignedTokens([RandomNumberGenerator.GetBytes(32)], new Clock(Now)).Issue("activation", Id, Now.AddDays(7)), out _));

    [Fact]
    public void whatever_was_signed_before_the_key_was_changed_is_valid_as_long_as_the_old_one_is_kept()
    {
        var old = At(Now).Issue("activation", Id, Now.AddDays(7));
        var other = RandomNumberGenerator.GetBytes(32);
        var both = new SignedTokens([other, Key], new Clock(Now));

        Assert.Equal((TokenState.Valid, Id), Read(both, old));
        Assert.Equal(new SignedTokens([other], new Clock(Now)).Issue("activation", Id, Now.AddDays(7)), both.Issue("activation", Id, Now.AddDays(7)));
        Assert.Equal(TokenState.Invalid, new SignedTokens([other], new Clock(Now)).Read("activation", old, out _));
    }

    [Theory]
    [InlineData("{0}.")]
    [InlineData("{0},")]
    [InlineData("{0})")]
    [InlineData("<{0}>")]
    [InlineData("{0} ")]
    [InlineData("{0}\u200B")]
    [InlineData("{0}=")]
    [InlineData("\"{0}\"")]
    [InlineData("{0}\u00A0\u2026")]
    public void what_mail_programs_put_around_it_does_not_matter(string around) =>
        Assert.Equal((TokenState.Valid, Id), Read(At(Now), string.Format(System.Globalization.CultureInfo.InvariantCulture, around, At(Now).Issue("activation", Id, Now.AddDays(7)))));

    [Theory]
    [InlineData("\r\n")]
    [InlineData("=\r\n")]
    [InlineData(" ")]
    [InlineData("\r\n> ")]
    [InlineData("\u00AD")]
    public void where_a_line_was_broken_does_not_matter(string by)
    {
        var token = At(Now).Issue("activation", Id, Now.AddDays(7));
        for (var at = 1; at < token.Length; at++) Assert.Equal((TokenState.Valid, Id), Read(At(Now), token[..at] + by + token[at..]));
    }

    [Fact]
    public void any_changed_character_makes_it_invalid()
    {
        var token = At(Now).Issue("activation", Id, Now.AddDays(7));

        for (var i = 0; i < token.Length; i++)
        {
            // The last character has two bits that mean nothing; a change of the first bit of six always means something.
            var forged = token[..i] + (token[i] == 'A' ? 'g' : 'A') + token[(i + 1)..];
            if (token[i] is 'A' or 'g' || i < token.Length - 1) Assert.Equal(TokenState.Invalid, At(Now).Read("activation", forged, out _));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("AAAA")]
    [InlineData("not a token at all, and much, much, much, much, much longer than one would ever be")]
    public void what_is_no_token_is_invalid(string? token) => Assert.Equal(TokenState.Invalid, At(Now).Read("activation", token, out _));

    private static SignedTokens At(DateTimeOffset now) => new([Key], new Clock(now));

    private static (TokenState, Guid) Read(SignedTokens tokens, string token) => (tokens.Read("activation", token, out var id), id);

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
