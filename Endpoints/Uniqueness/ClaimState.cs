using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>How the streams and values stand that some proposals touch: first as the database has them, then with every proposal that was accepted.
/// Decides one after the other, so any mix of them can share a transaction.</summary>
internal sealed class ClaimState
{
    private readonly HashSet<UniqueValue> _lockedValues = [];
    private readonly HashSet<Guid> _lockedStreams = [];
    private readonly Dictionary<UniqueValue, Holding> _before = [];
    private readonly HashSet<UniqueValue> _over = [];
    /// <summary>Null: given up.</summary>
    private readonly Dictionary<UniqueValue, Holding?> _since = [];
    private readonly Dictionary<Guid, long> _versions = [];
    private readonly HashSet<Guid> _begun = [];
    private readonly Dictionary<(Guid StreamId, long Version), (Guid EventId, long Position)> _events = [];
    private readonly Dictionary<(Guid StreamId, Guid EventId), string> _refused = [];
    private readonly HashSet<Guid> _refusedStreams = [];

    /// <summary>In the order in which they are to be appended.</summary>
    public List<Proposal> Accepted { get; } = [];

    /// <summary>Nobody else takes this value before this transaction has ended.</summary>
    public void Lock(UniqueValue value) => _lockedValues.Add(value);

    /// <summary>Nobody else appends to this stream before this transaction has ended, nor gives up what it holds.</summary>
    public void Lock(Guid streamId) => _lockedStreams.Add(streamId);

    /// <param name="isOver">It was reserved, until a time that has passed.</param>
    public void Holds(UniqueValue value, Holding holding, bool isOver = false)
    {
        _before[value] = holding;
        if (isOver) _over.Add(value);
    }

    public void Has(Guid streamId, long version)
    {
        _versions[streamId] = version;
        _begun.Add(streamId);
    }

    public void Has(Guid streamId, long version, Guid eventId, long position) => _events[(streamId, version)] = (eventId, position);

    /// <summary>The event was not unique, and that answer holds.</summary>
    public void Refused(Guid streamId, Guid eventId, string constraint)
    {
        _refused[(streamId, eventId)] = constraint;
        _refusedStreams.Add(streamId);
    }

    /// <summary>The answer, with the position 0 for what is in <see cref="Accepted"/> by it. Null: it touches what another transaction has in hand.</summary>
    public Verdict? Decide(Proposal proposal)
    {
        var known = _events.TryGetValue((proposal.StreamId, proposal.ExpectedVersion + 1), out var there);
        if (known && there.EventId == proposal.EventId) return proposal.Accepted(there.Position);
        if (proposal.Named && _refused.TryGetValue((proposal.StreamId, proposal.EventId), out var constraint)) return proposal.NotUnique(constraint);
        if (known || (proposal.Once && _refusedStreams.Contains(proposal.StreamId))) return proposal.VersionConflict();
        if (_versions.GetValueOrDefault(proposal.StreamId) != proposal.ExpectedVersion) return proposal.VersionConflict();
        if (_begun.Contains(proposal.StreamId) && !_lockedStreams.Contains(proposal.StreamId)) return null;

        var moves = new Dictionary<UniqueValue, Holding?>();
        foreach (var claim in proposal.Claims.OrderBy(c => c.Constraint, StringComparer.Ordinal))
        {
            if (GiveUp(proposal, claim, moves) is { } conflict) return conflict;
            // A stream that begins holds nothing.
            if (proposal.ExpectedVersion > 0) EndReservations(proposal.StreamId, claim, moves);
            if (claim.Taken is not { } value) continue;
            var holding = Find(value, moves);
            if (holding is { } held && held.Stream != proposal.StreamId && !IsOver(value, held))
            {
                if (proposal.Named) Refused(proposal.StreamId, proposal.EventId, claim.Constraint);
                return proposal.NotUnique(claim.Constraint);
            }
            if (!_lockedValues.Contains(value)) return null;
            // What it holds for good is not held for a time by being reserved, too.
            if (claim.Until is null || holding is not { Until: null }) moves[value] = new Holding(proposal.StreamId, claim.Until);
        }
        foreach (var (value, holding) in moves) _since[value] = holding;
        _versions[proposal.StreamId] = proposal.ExpectedVersion + 1;
        Accepted.Add(proposal);
        return proposal.Accepted(position: 0);
    }

    public List<(UniqueValue Value, Guid Stream)> GivenUp() =>
        [.. from s in _since where _before.TryGetValue(s.Key, out var before) && before != s.Value select (s.Key, _before[s.Key].Stream)];

    public List<(UniqueValue Value, Holding Holding)> Taken() =>
        [.. from s in _since where s.Value is { } now && !(_before.TryGetValue(s.Key, out var before) && before == now) select (s.Key, s.Value!.Value)];

    private Verdict? GiveUp(Proposal proposal, Claim claim, Dictionary<UniqueValue, Holding?> moves)
    {
        if (claim.GivesUpAll)
        {
            foreach (var value in HeldBy(proposal.StreamId, claim.Constraint, moves)) moves[value] = null;
        }
        else if (claim.GivenUp is { } value)
        {
            // Who gives up a value that it does not hold has decided on an old state.
            if (Find(value, moves)?.Stream != proposal.StreamId) return proposal.VersionConflict();
            if (claim.Taken != value) moves[value] = null;
        }
        return null;
    }

    private void EndReservations(Guid streamId, Claim claim, Dictionary<UniqueValue, Holding?> moves)
    {
        foreach (var value in HeldBy(streamId, claim.Constraint, moves).Where(v => Find(v, moves)!.Value.Until is not null)) moves[value] = null;
    }

    private List<UniqueValue> HeldBy(Guid streamId, string constraint, Dictionary<UniqueValue, Holding?> moves) =>
        [.. _before.Keys.Union(_since.Keys).Where(v => v.Constraint == constraint && Find(v, moves)?.Stream == streamId)];

    private Holding? Find(UniqueValue value, Dictionary<UniqueValue, Holding?> moves) =>
        moves.TryGetValue(value, out var holding) || _since.TryGetValue(value, out holding) ? holding
        : _before.TryGetValue(value, out var before) ? before : null;

    /// <summary>What was reserved in this transaction is not.</summary>
    private bool IsOver(UniqueValue value, Holding holding) => _over.Contains(value) && _before[value] == holding;
}
