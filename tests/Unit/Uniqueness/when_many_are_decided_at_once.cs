using FsCheck.Xunit;
using Signup.EventLog;
using Signup.Messages.Uniqueness;
using Signup.Uniqueness;

namespace Signup.Tests.Unit.Uniqueness;

public class when_many_are_decided_at_once
{
    private static readonly EventType Created = EventTypes.Find("AccountCreated")!;

    [Property(MaxTest = 500)]
    public void each_hears_what_it_would_hear_if_they_came_one_after_the_other(int seed)
    {
        var random = new Random(seed);
        var streams = Enumerable.Range(0, 4).Select(_ => Guid.NewGuid()).ToArray();
        var (one, all) = (new Database(), new Database());
        var before = Enumerable.Range(0, 8).Select(_ => Any(random, streams)).ToList();
        foreach (var database in new[] { one, all })
            foreach (var proposal in before) database.Commit([proposal]);
        var proposals = Enumerable.Range(0, 12).Select(_ => Any(random, streams)).ToList();

        var separately = proposals.ConvertAll(p => one.Commit([p])[0]!.Outcome);
        var together = all.Commit(proposals).ConvertAll(v => v!.Outcome);

        Assert.Equal(separately, together);
        Assert.Equal(one.Holders.OrderBy(h => h.Key.ToString(), StringComparer.Ordinal), all.Holders.OrderBy(h => h.Key.ToString(), StringComparer.Ordinal));
    }

    [Fact]
    public void who_gets_one_of_two_values_gets_neither_and_keeps_what_it_had()
    {
        var (holder, other) = (Guid.NewGuid(), Guid.NewGuid());
        var state = new ClaimState();
        foreach (var value in new[] { "a", "b", "n" }) state.Reserve(new(value == "n" ? "username" : "email", value));

        Assert.Equal(VerdictOutcome.Accepted, state.Decide(Create(holder, 0, "a", "n"))!.Outcome);
        Assert.Equal((VerdictOutcome.NotUnique, "username"), state.Decide(Create(other, 0, "b", "n")) is { } no ? (no.Outcome, no.Constraint) : default);
        Assert.Equal([new("email", "a"), new("username", "n")], state.Taken().Select(t => t.Value));
    }

    [Fact]
    public void what_another_transaction_has_in_hand_is_left_undecided_unless_the_answer_is_a_fact()
    {
        var (holder, busy) = (Guid.NewGuid(), Guid.NewGuid());
        var state = new ClaimState();
        state.Holds(new("email", "taken"), holder);
        state.Has(busy, 1);
        state.Reserve(new("email", "free"));

        Assert.Null(state.Decide(Create(Guid.NewGuid(), 0, "stuck")));
        Assert.Null(state.Decide(Create(busy, 1, "free")));
        Assert.Equal(VerdictOutcome.NotUnique, state.Decide(Create(Guid.NewGuid(), 0, "taken"))!.Outcome);
        Assert.Equal(VerdictOutcome.VersionConflict, state.Decide(Create(busy, 0, "stuck"))!.Outcome);
        Assert.Equal(VerdictOutcome.Accepted, state.Decide(Create(Guid.NewGuid(), 0, "free"))!.Outcome);
    }

    [Fact]
    public void a_stream_that_stands_for_one_proposal_takes_no_other_after_a_no()
    {
        var (holder, once) = (Guid.NewGuid(), Guid.NewGuid());
        var state = new ClaimState();
        state.Holds(new("email", "taken"), holder);
        state.Reserve(new("email", "free"));

        Assert.Equal(VerdictOutcome.NotUnique, state.Decide(Create(once, 0, "taken") with { Once = true })!.Outcome);
        Assert.Equal(VerdictOutcome.VersionConflict, state.Decide(Create(once, 0, "free") with { Once = true })!.Outcome);
        Assert.Equal(VerdictOutcome.Accepted, state.Decide(Create(once, 0, "free"))!.Outcome);
    }

    private static Proposal Create(Guid stream, long version, string email, string? username = null) =>
        Propose(stream, version, [new("email", ClaimAction.Create, email, null), .. username is null ? Array.Empty<Claim>() : [new Claim("username", ClaimAction.Create, username, null)]]);

    private static Proposal Propose(Guid stream, long version, IReadOnlyList<Claim> claims) => new(stream, Guid.NewGuid(), version, Created, "{}", claims, Named: true, Once: false);

    private static Proposal Any(Random random, Guid[] streams)
    {
        var (stream, version) = (streams[random.Next(streams.Length)], random.Next(4));
        return random.Next(5) switch
        {
            0 or 1 => Create(stream, random.Next(2) * version, Email(), Email()) with { Once = random.Next(2) == 0, Named = random.Next(2) == 0 },
            2 => Propose(stream, version, [new("email", ClaimAction.Delete, Email(), null)]),
            3 => Propose(stream, version, [new("email", ClaimAction.Delete, null, null), new("username", ClaimAction.Delete, null, null)]),
            _ => Propose(stream, version, [new("email", ClaimAction.Update, Email(), Email())]),
        };

        string Email() => $"{random.Next(4)}";
    }

    /// <summary>Keeps what a transaction of <see cref="ClaimBatch"/> would have written.</summary>
    private sealed class Database
    {
        private readonly List<(Guid Stream, long Version, Guid Event)> _events = [];
        private readonly List<(Guid Stream, Guid Event, string Constraint)> _refused = [];

        public Dictionary<UniqueValue, Guid> Holders { get; } = [];

        public List<Verdict?> Commit(List<Proposal> proposals)
        {
            var state = new ClaimState();
            foreach (var value in proposals.SelectMany(p => p.Claims).Select(c => c.Taken).OfType<UniqueValue>()) state.Reserve(value);
            foreach (var (value, stream) in Holders) state.Holds(value, stream);
            foreach (var (stream, version, id) in _events)
            {
                state.Lock(stream);
                state.Has(stream, version);
                state.Has(stream, version, id, position: 1);
            }
            foreach (var (stream, id, constraint) in _refused) state.Refused(stream, id, constraint);
            var verdicts = proposals.ConvertAll(state.Decide);
            foreach (var value in state.GivenUp()) Holders.Remove(value);
            foreach (var (value, stream) in state.Taken()) Holders.Add(value, stream);
            _events.AddRange(state.Accepted.Select(p => (p.StreamId, p.ExpectedVersion + 1, p.EventId)));
            _refused.AddRange(proposals.Zip(verdicts).Where(p => p.First.Named && p.Second is { Outcome: VerdictOutcome.NotUnique }).Select(p => (p.First.StreamId, p.First.EventId, p.Second!.Constraint!)));
            return verdicts;
        }
    }
}
