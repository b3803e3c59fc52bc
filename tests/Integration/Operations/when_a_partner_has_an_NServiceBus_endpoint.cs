using System.Text.Json;
using Signup.Hosting;
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
        Assert.Equal("Reply", reply.Headers[Headers.MessageIntent]);
        Assert.Equal(typeof(Verdict).AssemblyQualifiedName, reply.Headers[Headers.EnclosedMessageTypes]);
        Assert.Equal(typeof(Verdict).FullName, reply.Properties.Type);
        // By these its saga finds itself again, and its tools draw the conversation.
        Assert.Equal(id, reply.Properties.CorrelationId);
        Assert.Equal(id, reply.Headers[Headers.CorrelationId]);
        Assert.Equal("fcb3cb99-831c-4577-b771-b50b00d42b96", reply.Headers[Headers.ConversationId]);
        // Whoever was asked; where it got no verdict by a call, whoever has decided.
        Assert.True(reply.Headers[Headers.OriginatingEndpoint] is "accounts" or "uniqueness");
        Assert.True(reply.Properties.Persistent);
        Assert.False(string.IsNullOrEmpty(reply.Properties.MessageId));
        Assert.NotNull(Wire.ReadDate(reply.Headers[Headers.TimeSent]));
    }

    [Fact]
    public async Task it_subscribes_to_an_event_and_gets_it()
    {
        await using var subscriber = await operated.PartnerAsync("partner-with-a-subscription", typeof(AccountCreated));
        var command = OperatedSystem.NewSignUp();
        var id = Guid.NewGuid().ToString();
        await operated.SendAsync("accounts", OperatedSystem.AsNServiceBus(typeof(SignUp), id), OperatedSystem.Body(command));

        var published = await subscriber.EventOfAsync(command.AccountId);
        Assert.Equal("Publish", published.Headers[Headers.MessageIntent]);
        Assert.Equal(typeof(AccountCreated).AssemblyQualifiedName, published.Headers[Headers.EnclosedMessageTypes]);
        Assert.Equal(typeof(AccountCreated).FullName, published.Properties.Type);
        Assert.Equal("fcb3cb99-831c-4577-b771-b50b00d42b96", published.Headers[Headers.ConversationId]);
        Assert.Equal(id, published.Headers[Headers.CorrelationId]);
        Assert.True(Guid.TryParse(published.Headers[Headers.RelatedTo], out _));
        Assert.DoesNotContain("hash", published.Text, StringComparison.OrdinalIgnoreCase);
        Assert.True(published.Properties.Persistent);
        Assert.NotNull(Wire.ReadDate(published.Headers[Headers.TimeSent]));
    }
}
