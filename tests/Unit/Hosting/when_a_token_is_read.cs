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

    [Fact]
    public void one_purpose_is_not_another() =>
        Assert.Equal(TokenState.Invalid, At(Now).Read("status", At(Now).Issue("activation", Id, Now.AddDays(7)), out _));

    [Fact]
    public void another_key_is_foreign() =>
        Assert.Equal(TokenState.Invalid, At(Now).Read("activation", new SignedTokens(RandomNumberGenerator.GetBytes(32), new Clock(Now)).Issue("activation", Id, Now.AddDays(7)), out _));

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

    private static SignedTokens At(DateTimeOffset now) => new(Key, new Clock(now));

    private static (TokenState, Guid) Read(SignedTokens tokens, string token) => (tokens.Read("activation", token, out var id), id);

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
