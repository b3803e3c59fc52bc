using System.Text.Json;
using Signup.Gateway.Ops;

namespace Signup.Tests.Unit.Gateway;

public class when_RabbitMQ_says_who_takes_from_a_queue
{
    [Theory]
    [InlineData("""{"consumer_details":[{"channel_details":{"connection_name":"a"}},{"channel_details":[]},{"channel_details":{"connection_name":"b"}},{"channel_details":{"connection_name":"a"}}]}""", "a b")]
    [InlineData("""{"consumer_details":[]}""", "")]
    [InlineData("{}", "")]
    public void whoever_it_knows_nothing_of_yet_is_left_out(string queue, string names)
    {
        using var json = JsonDocument.Parse(queue);
        Assert.Equal(names, string.Join(' ', ManagementApi.ConnectionsOf(json.RootElement)));
    }
}
