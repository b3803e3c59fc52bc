using Microsoft.Extensions.Configuration;
using Signup.Hosting;
using Signup.Hosting.Calls;

namespace Signup.Tests.Unit.Hosting;

public class when_something_is_on_several_hosts
{
    [Theory]
    [InlineData("amqp://signup:secret@one:5672/signup", "amqp://signup:secret@one:5672/signup")]
    [InlineData("amqp://signup:secret@one,two:5673, three:5674/sign%2Fup", "amqp://signup:secret@one/sign%2Fup amqp://signup:secret@two:5673/sign%2Fup amqp://signup:secret@three:5674/sign%2Fup")]
    [InlineData("amqps://one,two?heartbeat=5", "amqps://one/?heartbeat=5 amqps://two/?heartbeat=5")]
    [InlineData("amqp://[::1]:5672,[::2]:5672", "amqp://[::1]:5672/ amqp://[::2]:5672/")]
    [InlineData("http://user:p@one:15672,two:15672/", "http://user:p@one:15672/ http://user:p@two:15672/")]
    public void each_has_an_address_that_differs_in_nothing_else(string address, string each) => Assert.Equal(each.Split(' '), Hosts.Of(address).Select(h => h.AbsoluteUri));

    [Theory]
    [InlineData("signup:s3cret@one,two")]
    [InlineData("amqp://signup:s3cret@")]
    [InlineData("amqp://signup:s3cret@one,/signup")]
    [InlineData("http://signup:s3cret@one:5672")]
    public void what_is_no_address_of_a_broker_is_refused_and_its_password_not_repeated(string address)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:RabbitMq", address)]).Build();
        var refused = Assert.Throws<InvalidOperationException>(() => Settings.BrokerNodes(settings));
        Assert.StartsWith("The setting ConnectionStrings:RabbitMq must be an AMQP URI", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", refused.Message, StringComparison.Ordinal);
    }
}
