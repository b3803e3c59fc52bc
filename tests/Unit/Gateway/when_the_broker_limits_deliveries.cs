using System.Text.Json;
using Signup.Gateway.Ops;

namespace Signup.Tests.Unit.Gateway;

public class when_the_broker_limits_deliveries
{
    /// <summary>As <c>GET /api/queues/%2F</c> describes them.</summary>
    [Theory]
    [InlineData("4.1.4", """{"arguments":{"x-queue-type":"quorum"},"effective_policy_definition":{}}""", 20L)]
    [InlineData("4.1.4", """{"arguments":{"x-queue-type":"quorum"},"effective_policy_definition":[]}""", 20L)]
    [InlineData("4.1.4", """{"arguments":{"x-queue-type":"quorum"},"effective_policy_definition":{"max-length":5}}""", 20L)]
    [InlineData("4.1.4", """{"arguments":{"x-queue-type":"quorum"},"effective_policy_definition":{"delivery-limit":100000}}""", 100_000L)]
    [InlineData("4.1.4", """{"arguments":{"x-queue-type":"quorum"},"effective_policy_definition":{"delivery-limit":-1}}""", null)]
    [InlineData("4.1.4", """{"arguments":{"x-queue-type":"quorum","x-delivery-limit":7},"effective_policy_definition":{"delivery-limit":100000}}""", 7L)]
    [InlineData("4.1.4", """{"arguments":{"x-queue-type":"classic"},"effective_policy_definition":{}}""", null)]
    [InlineData("3.10.8", """{"arguments":{"x-queue-type":"quorum"},"effective_policy_definition":{}}""", null)]
    [InlineData("3.10.8", """{"arguments":{"x-queue-type":"quorum"},"effective_policy_definition":{"delivery-limit":5}}""", 5L)]
    public void so_many_times_a_queue_delivers_a_message(string version, string queue, long? limit) =>
        Assert.Equal(limit, DeliveryLimits.Of(JsonDocument.Parse(queue).RootElement, Version.Parse(version)));
}
