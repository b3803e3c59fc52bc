using System.Net;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningIn;

namespace Signup.Tests.Unit.Gateway;

public class when_sign_ins_fail
{
    private const string Ada = "ada@example.org", Eve = "eve@example.org";
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1"), There = IPAddress.Parse("198.51.100.7");

    private readonly Clock _time = new();

    [Fact]
    public void a_few_may_and_then_each_waits_twice_as_long_as_the_one_before()
    {
        using var limits = new SignInLimits(10_000, _time);
        for (var n = 1; n <= GrowingWaits.Free; n++) Assert.Null(Fail(limits));
        foreach (var seconds in new[] { 1, 2, 4, 8, 16 })
        {
            Assert.Equal(TimeSpan.FromSeconds(seconds), Fail(limits));
            _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.Equal(TimeSpan.FromMilliseconds(1), Fail(limits));
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Null(Fail(limits));
        }
        Assert.Equal(GrowingWaits.Longest, GrowingWaits.WaitAfter(int.MaxValue));
    }

    [Fact]
    public void nobody_else_waits_for_it_and_the_same_client_elsewhere_does_not_either()
    {
        using var limits = new SignInLimits(10_000, _time);
        while (Fail(limits) is null) { }
        Assert.Null(limits.Refuse(Ada, null, There, out _));
        Assert.Null(limits.Refuse(Eve, null, Here, out _));
    }

    [Fact]
    public void a_device_that_the_account_knows_waits_for_nobody_on_its_network()
    {
        using var limits = new SignInLimits(10, _time);
        while (Fail(limits) is null) { }
        while (limits.Refuse(Eve, null, Here, out _) is null) { }
        Assert.Null(limits.Refuse(Ada, "a device", Here, out _));
        // Stolen, it is no way around.
        for (var n = 0; n < GrowingWaits.Free; n++) limits.Refuse(Ada, "a device", There, out _);
        Assert.NotNull(limits.Refuse(Ada, "a device", There, out _));
    }

    [Fact]
    public void one_that_succeeds_is_the_end_of_it()
    {
        using var limits = new SignInLimits(10_000, _time);
        for (var n = 1; n < GrowingWaits.Free; n++) Assert.Null(Fail(limits));
        Assert.Null(limits.Refuse(Ada, null, Here, out var counted));
        limits.Succeeded(counted);
        Assert.Null(Fail(limits));
    }

    [Fact]
    public void one_of_which_nobody_knows_how_it_would_have_ended_does_not_count()
    {
        using var limits = new SignInLimits(10_000, _time);
        for (var n = 0; n < 3 * GrowingWaits.Free; n++)
        {
            Assert.Null(limits.Refuse(Ada, null, Here, out var counted));
            limits.TakeBack(counted);
        }
        for (var n = 1; n <= GrowingWaits.Free; n++) Assert.Null(Fail(limits));
    }

    [Fact]
    public void a_client_may_not_try_one_account_after_the_other_either()
    {
        using var limits = new SignInLimits(10, _time);
        for (var n = 0; n < 10; n++) Assert.Null(limits.Refuse($"{n}@example.org", null, Here, out _));
        Assert.NotNull(limits.Refuse(Ada, null, Here, out _));
        Assert.Null(limits.Refuse(Ada, null, There, out _));
    }

    [Fact]
    public void after_an_hour_without_a_failure_it_is_forgotten()
    {
        using var limits = new SignInLimits(10_000, _time);
        while (Fail(limits) is null) { }
        _time.Advance(GrowingWaits.Memory);
        for (var n = 1; n <= GrowingWaits.Free; n++) Assert.Null(Fail(limits));
    }

    [Fact]
    public void nothing_is_limited_where_the_setting_says_so()
    {
        using var limits = new SignInLimits(0, _time);
        for (var n = 0; n < 1000; n++) Assert.Null(Fail(limits));
    }

    [Theory]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw", 19456, 2)]
    [InlineData("$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw", 8, 1)]
    public void how_to_hash_is_read_from_what_is_kept(string text, int memory, int passes)
    {
        var salt = PasswordSalt.Parse(text)!;
        Assert.Equal((new HashingCost { MemoryKiB = memory, Passes = passes }, "000102030405060708090A0B0C0D0E0F"), (salt.Cost, Convert.ToHexString(salt.Salt)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("$2b$12$abcdefghijklmnopqrstuv")]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=4$AAECAwQFBgcICQoLDA0ODw")]
    [InlineData("$argon2id$v=19$m=9999999,t=2,p=1$AAECAwQFBgcICQoLDA0ODw")]
    [InlineData("$argon2id$v=19$m=8,t=0,p=1$AAECAwQFBgcICQoLDA0ODw")]
    [InlineData("$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$hash")]
    [InlineData("$argon2id$v=19$m=8,t=1,p=1$AAEC")]
    public void what_another_program_has_hashed_is_nobodys_password_here(string? text) => Assert.Null(PasswordSalt.Parse(text));

    private static TimeSpan? Fail(SignInLimits limits) => limits.Refuse(Ada, null, Here, out _);
}
