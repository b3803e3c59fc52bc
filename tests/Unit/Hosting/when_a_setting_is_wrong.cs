using Microsoft.Extensions.Configuration;
using Signup.Hosting;

namespace Signup.Tests.Unit.Hosting;

public sealed class when_a_setting_is_wrong
{
    [Theory]
    [InlineData("")]
    [InlineData("uniqueness:8080")]
    [InlineData("/event")]
    [InlineData("amqp://localhost")]
    public void an_address_that_is_none_is_told_with_the_name_of_the_setting(string value)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new("Query:Url", value)]).Build();

        Assert.Contains("Query:Url", Assert.Throws<InvalidOperationException>(() => SignupEndpoint.Url(settings, "Query:Url")).Message, StringComparison.Ordinal);
    }
}
