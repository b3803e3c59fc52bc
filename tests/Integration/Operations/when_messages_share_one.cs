using System.Text.Json;
using Signup.Hosting;
using Signup.Messages.Transport;
using Signup.Messages.Uniqueness;
using Signup.Tests.Integration.Uniqueness;
using Headers = Signup.Hosting.Headers;

namespace Signup.Tests.Integration.Operations;

[Collection("operated system")]
public sealed class when_messages_share_one(OperatedSystem operated)
{
    private const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private readonly string _asker = $"partner-{Guid.NewGuid():N}";

    [Fact]
    public async Task each_is_handled_and_answered_as_if_it_had_come_alone()
    {
        await using var asker = await operated.PartnerAsync(_asker);
        var email = UniquenessPair.NewEmail();
        await operated.System.Commands.AskAsync<Verdict>("uniqueness", UniquenessPair.Proposal(Guid.NewGuid(), email), Guid.NewGuid(), TimeSpan.FromMinutes(1), CancellationToken.None);
        var fresh = From(UniquenessPair.Proposal(Guid.NewGuid(), UniquenessPair.NewEmail()));
        var taken = From(UniquenessPair.Proposal(Guid.NewGuid(), email));
        var wrong = From(UniquenessPair.Proposal(Guid.NewGuid(), UniquenessPair.NewEmail()) with { Type = "Unheard" });

        await SendAsync(fresh, taken, wrong);

        var replies = new Dictionary<string, (Verdict Verdict, string? Conversation)>();
        while (replies.Count < 3)
        {
            var reply = await asker.NextAsync();
            replies.Add(reply.Properties.CorrelationId!, (JsonSerializer.Deserialize<Verdict>(reply.Body)!, reply.Headers[Headers.ConversationId]));
        }
        Assert.Equal((VerdictOutcome.Accepted, fresh.Proposal.StreamId), (replies[fresh.CorrelationId].Verdict.Outcome, replies[fresh.CorrelationId].Verdict.StreamId));
        Assert.Equal((VerdictOutcome.NotUnique, taken.Proposal.StreamId), (replies[taken.CorrelationId].Verdict.Outcome, replies[taken.CorrelationId].Verdict.StreamId));
        Assert.Equal(VerdictOutcome.Invalid, replies[wrong.CorrelationId].Verdict.Outcome);
        Assert.All(new[] { fresh, taken, wrong }, p => Assert.Equal(p.ConversationId, replies[p.CorrelationId].Conversation));
    }

    [Fact]
    public async Task one_that_fails_is_set_aside_alone_and_as_a_message_of_its_own()
    {
        await using var asker = await operated.PartnerAsync(_asker);
        var good = From(UniquenessPair.Proposal(Guid.NewGuid(), UniquenessPair.NewEmail()));
        // Longer than what an index of PostgreSQL's can hold, and of a kind that it cannot compress.
        var email = string.Concat(Enumerable.Range(0, 200).Select(_ => $"{Guid.NewGuid():N}")) + "@example.org";
        var poisoned = From(UniquenessPair.Proposal(Guid.NewGuid(), email));

        await SendAsync(good, poisoned);

        var reply = await asker.NextAsync();
        Assert.Equal((good.CorrelationId, VerdictOutcome.Accepted), (reply.Properties.CorrelationId!, JsonSerializer.Deserialize<Verdict>(reply.Body)!.Outcome));
        var failed = (await operated.ServiceControl.FailedAsync(poisoned.MessageId, "uniqueness")).Last;
        Assert.Equal(poisoned.Proposal.StreamId, JsonSerializer.Deserialize<ProposeEvent>(failed.Body)!.StreamId);
        Assert.Equal((_asker, poisoned.CorrelationId), (failed.Headers[Headers.ReplyToAddress], failed.Headers[Headers.CorrelationId]));
        Assert.Equal(Trace.Split('-')[1], failed.Headers[Headers.TraceParent].Split('-')[1]);
    }

    [Fact]
    public async Task one_of_an_unknown_type_is_set_aside_and_the_others_are_handled()
    {
        await using var asker = await operated.PartnerAsync(_asker);
        var good = From(UniquenessPair.Proposal(Guid.NewGuid(), UniquenessPair.NewEmail()));
        var unknown = From(UniquenessPair.Proposal(Guid.NewGuid(), UniquenessPair.NewEmail())) with { Type = "Elsewhere.Unheard, Elsewhere" };

        await SendAsync(unknown, good);

        Assert.Equal(good.CorrelationId, (await asker.NextAsync()).Properties.CorrelationId);
        Assert.Equal("Elsewhere.Unheard, Elsewhere", (await operated.ServiceControl.FailedAsync(unknown.MessageId, "uniqueness")).Last.Headers[Headers.EnclosedMessageTypes]);
    }

    private sealed record Asked(ProposeEvent Proposal, string Type, string MessageId, string CorrelationId, string ConversationId);

    private static Asked From(ProposeEvent proposal) =>
        new(proposal, typeof(ProposeEvent).AssemblyQualifiedName!, Guid.NewGuid().ToString(), Guid.NewGuid().ToString(), Guid.NewGuid().ToString());

    private Task SendAsync(params Asked[] proposals) => operated.SendAsync(Topology.Uniqueness, OperatedSystem.AsNServiceBus(typeof(Bundle), Guid.NewGuid().ToString()),
        OperatedSystem.Body(new Bundle([.. proposals.Select(p => new BundledMessage(new Dictionary<string, string>
        {
            [Headers.EnclosedMessageTypes] = p.Type,
            [Headers.MessageId] = p.MessageId,
            [Headers.CorrelationId] = p.CorrelationId,
            [Headers.ConversationId] = p.ConversationId,
            [Headers.ReplyToAddress] = _asker,
            [Headers.TraceParent] = Trace,
        }, JsonSerializer.SerializeToUtf8Bytes(p.Proposal)))])));
}
