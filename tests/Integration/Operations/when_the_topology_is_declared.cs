using System.Net.Http.Json;
using System.Text.Json;

namespace Signup.Tests.Integration.Operations;

/// <summary>As RabbitMQ's management API tells it, against names and kinds as an NServiceBus endpoint knows them.</summary>
[Collection("operated system")]
public sealed class when_the_topology_is_declared(OperatedSystem operated)
{
    private static readonly string[] Queues = ["accounts", "uniqueness", "mail", "query", "error"];

    private static readonly string[] Events =
    [
        "Signup.Messages.Accounts:AccountCreated", "Signup.Messages.Accounts:AccountActivated", "Signup.Messages.Accounts:AccountExpired",
        "Signup.Messages.Accounts:EmailChanged", "Signup.Messages.Accounts:AccountDeleted",
        "Signup.Messages.Mail:ActivationMailSent", "Signup.Messages.Mail:ActivationMailFailed",
        "Signup.Messages.Operations:MessageRetried", "Signup.Messages.Operations:MessageDiscarded",
        "Signup.Messages.Transport:LogExtended",
    ];

    [Fact]
    public async Task each_queue_is_a_quorum_queue_and_has_that_one_argument()
    {
        var queues = (await ListAsync("queues")).Where(q => Queues.Contains(Text(q, "name"))).ToList();

        Assert.Equal(Queues.Order(StringComparer.Ordinal), queues.Select(q => Text(q, "name")).Order(StringComparer.Ordinal));
        Assert.All(queues, q => Assert.Equal("x-queue-type = quorum; durable", $"{Arguments(q)}; {Flags(q, "durable", "auto_delete", "exclusive")}"));
    }

    [Fact]
    public async Task each_queue_and_each_kind_of_event_has_a_durable_fanout_exchange()
    {
        var exchanges = (await ListAsync("exchanges")).Where(e => Queues.Contains(Text(e, "name")) || Text(e, "name").StartsWith("Signup.", StringComparison.Ordinal)).ToList();

        Assert.Equal(Queues.Concat(Events).Order(StringComparer.Ordinal), exchanges.Select(e => Text(e, "name")).Order(StringComparer.Ordinal));
        Assert.All(exchanges, e => Assert.Equal("fanout; ; durable", $"{Text(e, "type")}; {Arguments(e)}; {Flags(e, "durable", "auto_delete", "internal")}"));
    }

    [Fact]
    public async Task each_queue_is_bound_to_its_exchange_and_each_subscriber_to_its_events()
    {
        // By the exchange without a name RabbitMQ binds every queue itself.
        var bindings = (await ListAsync("bindings")).Where(b => Queues.Contains(Text(b, "destination")) && Text(b, "source") != "")
            .Select(b => $"{Text(b, "source")} -> {Text(b, "destination_type")} {Text(b, "destination")}, key '{Text(b, "routing_key")}', arguments '{Arguments(b)}'");

        string[] mailHearsOf = ["AccountCreated", "AccountActivated", "AccountExpired", "AccountDeleted"];
        var expected = Queues.Select(q => $"{q} -> queue {q}, key '', arguments ''")
            .Append("Signup.Messages.Transport:LogExtended -> exchange query, key '', arguments ''")
            .Concat(mailHearsOf.Select(e => $"Signup.Messages.Accounts:{e} -> exchange mail, key '', arguments ''"));
        Assert.Equal(expected.Order(StringComparer.Ordinal), bindings.Order(StringComparer.Ordinal));
    }

    private async Task<List<JsonElement>> ListAsync(string what)
    {
        using var management = operated.System.Parts.ManagementClient();
        return [.. (await management.GetFromJsonAsync<JsonElement>($"api/{what}/{operated.System.Parts.VirtualHost}")).EnumerateArray()];
    }

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString()!;

    private static string Arguments(JsonElement element) => string.Join(", ", element.GetProperty("arguments").EnumerateObject().Select(a => $"{a.Name} = {a.Value}"));

    private static string Flags(JsonElement element, params string[] flags) => string.Join(", ", flags.Where(f => element.GetProperty(f).GetBoolean()));
}
