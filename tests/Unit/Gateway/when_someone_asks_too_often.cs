using System.Net;
using Signup.Hosting.Http;

namespace Signup.Tests.Unit.Gateway;

public class when_someone_asks_too_often
{
    [Fact]
    public void a_client_has_so_many_sign_ups_a_minute_and_others_have_theirs()
    {
        using var limit = new ClientLimit(3);
        var (one, other) = (IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2"));

        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => limit.Refuse(one) is null));
        Assert.InRange(limit.Refuse(one)!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
        Assert.Null(limit.Refuse(other));
    }

    [Fact]
    public void zero_is_no_limit()
    {
        using var limit = new ClientLimit(0);
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.Null(limit.Refuse(IPAddress.Loopback)));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1", true)]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public void who_counts_as_one_client(string one, string other, bool same) =>
        Assert.Equal(same, ClientLimit.Network(IPAddress.Parse(one)).Equals(ClientLimit.Network(IPAddress.Parse(other))));
}
