using Microsoft.Extensions.Configuration;
using Signup.EventLog;
using Signup.Hosting;

namespace Signup.Tests.Unit.Hosting;

public sealed class when_a_setting_is_wrong
{
    [Theory]
    [InlineData("")]
    [InlineData("uniqueness:8080")]
    [InlineData("/event")]
    [InlineData("amqp://localhost")]
    [InlineData("http://one:8080,,two:8080")]
    public void an_address_that_is_none_is_told_with_the_name_of_the_setting(string value)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new("Query:Url", value)]).Build();

        Assert.Contains("Query:Url", Assert.Throws<InvalidOperationException>(() => Settings.Urls(settings, "Query:Url")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("standby:5432")]
    [InlineData("Host=standby;Passwort=s3cret")]
    [InlineData("Host=standby;Port=s3cret")]
    public void a_standby_that_is_none_is_told_with_the_name_of_the_setting_and_its_password_not_repeated(string value)
    {
        var refused = Assert.Throws<InvalidOperationException>(() => LogReplica.Of(value));

        Assert.StartsWith("The setting ConnectionStrings:PostgresReplica must be a connection string", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", refused.Message, StringComparison.Ordinal);
    }
}
