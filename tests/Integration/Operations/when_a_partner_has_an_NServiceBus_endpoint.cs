using System.Text.Json;
using RabbitMQ.Client;
using Signup.Hosting;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Tests.Integration.Operations;

/// <summary>With nothing but our message classes, and the JSON and topology that such an endpoint has by default.</summary>
[Collection("operated system")]
public sealed class when_a_partner_has_an_NServiceBus_endpoint(OperatedSystem operated)
{
    [Fact]
    public async Task it_sends_a_sign_up_and_gets_the_verdict_into_its_queue()
    {
        await using var partner = await operated.PartnerAsync("partner-with-replies");
        var command = OperatedSystem.NewSignUp();
        var id = Guid.NewGuid().ToString();
        await operated.SendAsync("accounts", OperatedSystem.AsNServiceBus(typeof(SignUp), id, "partner-with-replies"), OperatedSystem.Body(command));

        var reply = await partner.NextAsync();
        var verdict = JsonSerializer.Deserialize<Verdict>(reply.Body)!;
        Assert.Equal(command.AccountId, verdict.StreamId);
        Assert.Equal(VerdictOutcome.Accepted, verdict.Outcome);
        Assert.Equal("Reply", reply.Headers[WireHeaders.MessageIntent]);
        Assert.Equal(typeof(Verdict).AssemblyQualifiedName, reply.Headers[WireHeaders.EnclosedMessageTypes]);
        Assert.Equal(typeof(Verdict).FullName, reply.Properties.Type);
        // By these its saga finds itself again, and its tools draw the conversation.
        Assert.Equal(id, reply.Properties.CorrelationId);
        Assert.Equal(id, reply.Headers[WireHeaders.CorrelationId]);
        Assert.Equal("fcb3cb99-831c-4577-b771-b50b00d42b96", reply.Headers[WireHeaders.ConversationId]);
        // Whoever was asked; where it got no verdict by a call, whoever has decided.
        Assert.True(reply.Headers[WireHeaders.OriginatingEndpoint] is "accounts" or "uniqueness");
        Assert.True(reply.Properties.Persistent);
        Assert.False(string.IsNullOrEmpty(reply.Properties.MessageId));
        Assert.NotNull(Wire.ReadDate(reply.Headers[WireHeaders.TimeSent]));
    }

    [Fact]
    public async Task it_subscribes_to_an_event_and_gets_it()
    {
        await using var subscriber = await operated.PartnerAsync("partner-with-a-subscription", typeof(AccountCreated));
        var command = OperatedSystem.NewSignUp();
        var id = Guid.NewGuid().ToString();
        await operated.SendAsync("accounts", OperatedSystem.AsNServiceBus(typeof(SignUp), id), OperatedSystem.Body(command));

        var published = await subscriber.EventOfAsync(command.AccountId);
        Assert.Equal("Publish", published.Headers[WireHeaders.MessageIntent]);
        Assert.Equal(typeof(AccountCreated).AssemblyQualifiedName, published.Headers[WireHeaders.EnclosedMessageTypes]);
        Assert.Equal(typeof(AccountCreated).FullName, published.Properties.Type);
        Assert.Equal("fcb3cb99-831c-4577-b771-b50b00d42b96", published.Headers[WireHeaders.ConversationId]);
        Assert.Equal(id, published.Headers[WireHeaders.CorrelationId]);
        Assert.True(Guid.TryParse(published.Headers[WireHeaders.RelatedTo], out _));
        Assert.DoesNotContain("hash", published.Text, StringComparison.OrdinalIgnoreCase);
        Assert.True(published.Properties.Persistent);
        Assert.NotNull(Wire.ReadDate(published.Headers[WireHeaders.TimeSent]));
    }
}

/// <summary>Whichever of us comes first declares what both use, and the other finds it as it would have declared it.</summary>
public sealed class when_others_declare_the_same_queues : IAsyncDisposable
{
    private SignupSystem? _system;

    [Fact]
    public async Task either_may_be_first()
    {
        _system = await SignupSystem.StartAsync("declared", new Dictionary<string, string> { ["ServiceControl__Enabled"] = "true", ["ServiceControl__AuditQueue"] = "audit" }, "Accounts", "Uniqueness");
        await DeclareAsync(_system);

        foreach (var name in new[] { "Accounts", "Uniqueness" }) await _system[name].StopAsync();
        await _system.Parts.LoseBrokerDataAsync();
        await DeclareAsync(_system);
        foreach (var name in new[] { "Accounts", "Uniqueness" }) await _system[name].StartAsync();

        await using var broker = new Broker(BrokerNodes.Of(_system.Parts.RabbitMq), new EndpointIdentity("partner"));
        await using var commands = new CommandClient(broker, new Wire(new EndpointIdentity("partner")));
        var command = OperatedSystem.NewSignUp();
        Assert.Equal(VerdictOutcome.Accepted, (await commands.AskAsync<Verdict>(Topology.Accounts, command, command.AccountId, TimeSpan.FromSeconds(20), CancellationToken.None))!.Outcome);
    }

    public async ValueTask DisposeAsync()
    {
        if (_system is not null) await _system.DisposeAsync();
    }

    /// <summary>By words of our own, not by <see cref="Topology"/>: as NServiceBus.RabbitMQ 10 does for endpoints and their events (conventional routing), and ServiceControl for its queues.</summary>
    private static async Task DeclareAsync(SignupSystem system)
    {
        await using var broker = new Broker(BrokerNodes.Of(system.Parts.RabbitMq), new EndpointIdentity("partner"));
        await using var channel = await broker.OpenChannelAsync(Wait.Token);
        foreach (var queue in new[] { "accounts", "uniqueness", "mail", "query", "partner", "error", "audit", "Particular.ServiceControl", "Particular.ServiceControl.staging", "Particular.ServiceControl.Errors", "Particular.Monitoring" })
        {
            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: Wait.Token);
            await channel.ExchangeDeclareAsync(queue, "fanout", durable: true, cancellationToken: Wait.Token);
            await channel.QueueBindAsync(queue, queue, "", cancellationToken: Wait.Token);
        }
        foreach (var exchange in new[] { "Signup.Messages.Accounts:AccountCreated", "Signup.Messages.Accounts:AccountActivated", "System:Object", "NServiceBus:IEvent" })
            await channel.ExchangeDeclareAsync(exchange, "fanout", durable: true, cancellationToken: Wait.Token);
        await channel.ExchangeBindAsync("System:Object", "Signup.Messages.Accounts:AccountCreated", "", cancellationToken: Wait.Token);
        await channel.ExchangeBindAsync("partner", "Signup.Messages.Accounts:AccountCreated", "", cancellationToken: Wait.Token);
    }
}
