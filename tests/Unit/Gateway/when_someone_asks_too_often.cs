using System.Net;
using Microsoft.Extensions.Options;
using Signup.Gateway.Activation;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;

namespace Signup.Tests.Unit.Gateway;

public class when_someone_asks_too_often
{
    private static readonly Guid Ada = Guid.Parse("0193b1c2-0000-7000-8000-000000000001"), Bob = Guid.Parse("0193b1c2-0000-7000-8000-000000000002");

    [Fact]
    public void a_client_has_so_many_sign_ups_a_minute_and_others_have_theirs()
    {
        using var limit = new SignUpLimit(3);
        var (one, other) = (IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2"));

        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => limit.Refuse(one) is null));
        Assert.InRange(limit.Refuse(one)!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
        Assert.Null(limit.Refuse(other));
    }

    [Fact]
    public void zero_is_no_limit()
    {
        using var limit = new SignUpLimit(0);
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.Null(limit.Refuse(IPAddress.Loopback)));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1", true)]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public void who_counts_as_one_client(string one, string other, bool same) =>
        Assert.Equal(same, Client.Network(IPAddress.Parse(one)).Equals(Client.Network(IPAddress.Parse(other))));

    [Fact]
    public void the_mail_can_be_asked_for_again_after_a_minute()
    {
        var (limit, clock) = Resends();

        Assert.Null(limit.Refuse(Ada));
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(TimeSpan.FromSeconds(1), limit.Refuse(Ada));
        Assert.Null(limit.Refuse(Bob));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(limit.Refuse(Ada));
    }

    [Fact]
    public void it_can_be_asked_for_five_times_in_any_24_hours()
    {
        var (limit, clock) = Resends();
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(limit.Refuse(Ada));
            clock.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(TimeSpan.FromHours(19), limit.Refuse(Ada));
        clock.Advance(TimeSpan.FromHours(19));
        Assert.Null(limit.Refuse(Ada));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(TimeSpan.FromMinutes(58), limit.Refuse(Ada));
    }

    [Fact]
    public void asking_in_vain_does_not_put_the_next_mail_off()
    {
        var (limit, clock) = Resends();
        Assert.Null(limit.Refuse(Ada));
        for (var i = 0; i < 59; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.NotNull(limit.Refuse(Ada));
        }
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(limit.Refuse(Ada));
    }

    private static (ResendLimit, Clock) Resends()
    {
        var clock = new Clock();
        return (new ResendLimit(Options.Create(new ResendSettings()), clock), clock);
    }

    private sealed class Clock : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

        public void Advance(TimeSpan by) => _now += by;
        public override DateTimeOffset GetUtcNow() => _now;
    }
}
