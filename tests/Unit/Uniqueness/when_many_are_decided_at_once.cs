using FsCheck.Xunit;
using Signup.EventLog;
using Signup.Messages.Uniqueness;
using Signup.Uniqueness;

namespace Signup.Tests.Unit.Uniqueness;

public class when_many_are_decided_at_once
{
    private static readonly EventType Created = EventTypes.Find("AccountCreated")!;

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero), Later = Now.AddHours(1);

    [Property(MaxTest = 500)]
    public void each_hears_what_it_would_hear_if_they_came_one_after_the_other(int seed)
    {
        var random = new Random(seed);
        var streams = Enumerable.Range(0, 4).Select(_ => Guid.NewGuid()).ToArray();
        var (one, all) = (new Database(), new Database());
        // Some of what they reserve is over when the others come.
        var before = Enumerable.Range(0, 8).Select(_ => Any(random, streams, random.Next(2) == 0 ? Now : Later)).ToList();
        foreach (var database in new[] { one, all })
            foreach (var proposal in before) database.Commit([proposal]);
        var proposals = Enumerable.Range(0, 12).Select(_ => Any(random, streams, Later)).ToList();

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
        foreach (var value in new[] { "a", "b", "n" }) state.Lock(new UniqueValue(value == "n" ? "username" : "email", value));

        Assert.Equal(VerdictOutcome.Accepted, state.Decide(Create(holder, 0, "a", "n"))!.Outcome);
        Assert.Equal((VerdictOutcome.NotUnique, "username"), state.Decide(Create(other, 0, "b", "n")) is { } no ? (no.Outcome, no.Constraint) : default);
        Assert.Equal([new("email", "a"), new("username", "n")], state.Taken().Select(t => t.Value));
    }

    [Fact]
    public void what_another_transaction_has_in_hand_is_left_undecided_unless_the_answer_is_a_fact()
    {
        var (holder, busy) = (Guid.NewGuid(), Guid.NewGuid());
        var state = new ClaimState();
        state.Holds(new("email", "taken"), new(holder));
        state.Has(busy, 1);
        state.Lock(new UniqueValue("email", "free"));

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
        state.Holds(new("email", "taken"), new(holder));
        state.Lock(new UniqueValue("email", "free"));

        Assert.Equal(VerdictOutcome.NotUnique, state.Decide(Create(once, 0, "taken") with { Once = true })!.Outcome);
        Assert.Equal(VerdictOutcome.VersionConflict, state.Decide(Create(once, 0, "free") with { Once = true })!.Outcome);
        Assert.Equal(VerdictOutcome.Accepted, state.Decide(Create(once, 0, "free"))!.Outcome);
    }

    [Fact]
    public void what_is_reserved_is_nobody_elses_until_its_time_is_over()
    {
        var (holder, other) = (Guid.NewGuid(), Guid.NewGuid());
        Assert.Equal(VerdictOutcome.NotUnique, After(new(holder, Later), isOver: false).Decide(Create(other, 0, "a"))!.Outcome);

        var over = After(new(holder, Now), isOver: true);
        Assert.Equal(VerdictOutcome.Accepted, over.Decide(Create(other, 0, "a"))!.Outcome);
        Assert.Equal([(A, holder)], over.GivenUp());
        Assert.Equal([(A, new Holding(other))], over.Taken());
        // And so it is from then on.
        Assert.Equal(VerdictOutcome.NotUnique, over.Decide(Create(Guid.NewGuid(), 0, "a"))!.Outcome);
    }

    [Fact]
    public void who_has_reserved_it_gets_it_for_good_also_late_unless_somebody_else_has_it_by_then()
    {
        var holder = Guid.NewGuid();
        foreach (var isOver in new[] { false, true })
        {
            var state = After(new(holder, Now), isOver, begun: holder);
            Assert.Equal(VerdictOutcome.Accepted, state.Decide(Move(holder, "o", "a"))!.Outcome);
            Assert.Equal([(A, holder), (Old, holder)], state.GivenUp().OrderBy(g => g.Value.Value));
            Assert.Equal([(A, new Holding(holder))], state.Taken());
        }
        Assert.Equal(VerdictOutcome.NotUnique, After(new(Guid.NewGuid()), isOver: false, begun: holder).Decide(Move(holder, "o", "a"))!.Outcome);
        // Also where it is said to have had it before; what it does hold it goes on to hold.
        foreach (var (value, taken) in new[] { ("a", 1), ("o", 0) })
        {
            var same = After(new(holder, Later), isOver: false, begun: holder);
            Assert.Equal(VerdictOutcome.Accepted, same.Decide(Move(holder, value, value))!.Outcome);
            Assert.Equal((1, taken), (same.GivenUp().Count, same.Taken().Count));
        }
    }

    [Fact]
    public void whatever_else_a_stream_does_to_what_it_holds_ends_what_it_has_reserved()
    {
        var holder = Guid.NewGuid();
        foreach (var next in new Claim[] { new("email", ClaimAction.Reserve, "b", null, Later), new("email", ClaimAction.Update, "b", "o"), new("email", ClaimAction.Delete, "o", null), new("email", ClaimAction.Delete, null, null) })
        {
            var state = After(new(holder, Later), isOver: false, begun: holder);
            Assert.Equal(VerdictOutcome.Accepted, state.Decide(Propose(holder, 1, [next]))!.Outcome);
            Assert.Contains((A, holder), state.GivenUp());
            Assert.DoesNotContain(A, state.Taken().Select(t => t.Value));
        }
        // Another constraint is another matter.
        var names = After(new(holder, Later), isOver: false, begun: holder);
        names.Lock(new UniqueValue("username", "n"));
        Assert.Equal(VerdictOutcome.Accepted, names.Decide(Propose(holder, 1, [new("username", ClaimAction.Create, "n", null)]))!.Outcome);
        Assert.Empty(names.GivenUp());
    }

    [Fact]
    public void reserved_again_it_is_reserved_until_the_later_time_and_what_is_held_for_good_stays_so()
    {
        var holder = Guid.NewGuid();
        var again = After(new(holder, Now), isOver: true, begun: holder);
        Assert.Equal(VerdictOutcome.Accepted, again.Decide(Reserve(holder, "a"))!.Outcome);
        Assert.Equal([(A, new Holding(holder, Later))], again.Taken());
        Assert.Equal(VerdictOutcome.NotUnique, again.Decide(Create(Guid.NewGuid(), 0, "a"))!.Outcome);

        var held = After(new(holder, Later), isOver: false, begun: holder);
        Assert.Equal(VerdictOutcome.Accepted, held.Decide(Reserve(holder, "o"))!.Outcome);
        Assert.Empty(held.Taken());
        Assert.Equal([(A, holder)], held.GivenUp());
    }

    private static readonly UniqueValue A = new("email", "a"), Old = new("email", "o");

    /// <summary>Somebody holds <c>a</c>, and <paramref name="begun"/>, who has one event, <c>o</c>.</summary>
    private static ClaimState After(Holding holding, bool isOver, Guid? begun = null)
    {
        var state = new ClaimState();
        foreach (var value in new[] { A, Old, new UniqueValue("email", "b") }) state.Lock(value);
        state.Holds(A, holding, isOver);
        if (begun is not { } stream) return state;
        state.Holds(Old, new(stream));
        state.Has(stream, 1);
        state.Lock(stream);
        return state;
    }

    private static Proposal Reserve(Guid stream, string email) => Propose(stream, 1, [new("email", ClaimAction.Reserve, email, null, Later)]);

    private static Proposal Move(Guid stream, string from, string to) => Propose(stream, 1, [new("email", ClaimAction.Update, to, from)]);

    private static Proposal Create(Guid stream, long version, string email, string? username = null) =>
        Propose(stream, version, [new("email", ClaimAction.Create, email, null), .. username is null ? Array.Empty<Claim>() : [new Claim("username", ClaimAction.Create, username, null)]]);

    private static Proposal Propose(Guid stream, long version, IReadOnlyList<Claim> claims) => new(stream, Guid.NewGuid(), version, Created, "{}", claims, Named: true, Once: false);

    private static Proposal Any(Random random, Guid[] streams, DateTimeOffset until)
    {
        var (stream, version) = (streams[random.Next(streams.Length)], random.Next(4));
        return random.Next(6) switch
        {
            0 or 1 => Create(stream, random.Next(2) * version, Email(), Email()) with { Once = random.Next(2) == 0, Named = random.Next(2) == 0 },
            2 => Propose(stream, version, [new("email", ClaimAction.Delete, Email(), null)]),
            3 => Propose(stream, version, [new("email", ClaimAction.Reserve, Email(), null, until)]),
            4 => Propose(stream, version, [new("email", ClaimAction.Delete, null, null), new("username", ClaimAction.Delete, null, null)]),
            _ => Propose(stream, version, [new("email", ClaimAction.Update, Email(), Email())]),
        };

        string Email() => $"{random.Next(4)}";
    }

    /// <summary>Keeps what a transaction of <see cref="ClaimBatch"/> would have written.</summary>
    private sealed class Database
    {
        private readonly List<(Guid Stream, long Version, Guid Event)> _events = [];
        private readonly List<(Guid Stream, Guid Event, string Constraint)> _refused = [];

        public Dictionary<UniqueValue, Holding> Holders { get; } = [];

        public List<Verdict?> Commit(List<Proposal> proposals)
        {
            var state = new ClaimState();
            foreach (var value in proposals.SelectMany(p => p.Claims).Select(c => c.Taken).OfType<UniqueValue>()) state.Lock(value);
            foreach (var (value, holding) in Holders) state.Holds(value, holding, isOver: holding.Until <= Now);
            foreach (var (stream, version, id) in _events)
            {
                state.Lock(stream);
                state.Has(stream, version);
                state.Has(stream, version, id, position: 1);
            }
            foreach (var (stream, id, constraint) in _refused) state.Refused(stream, id, constraint);
            var verdicts = proposals.ConvertAll(state.Decide);
            foreach (var (value, _) in state.GivenUp()) Holders.Remove(value);
            foreach (var (value, holding) in state.Taken()) Holders.Add(value, holding);
            _events.AddRange(state.Accepted.Select(p => (p.StreamId, p.ExpectedVersion + 1, p.EventId)));
            _refused.AddRange(proposals.Zip(verdicts).Where(p => p.First.Named && p.Second is { Outcome: VerdictOutcome.NotUnique }).Select(p => (p.First.StreamId, p.First.EventId, p.Second!.Constraint!)));
            return verdicts;
        }
    }
}
