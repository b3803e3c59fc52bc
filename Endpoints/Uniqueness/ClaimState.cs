using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>How the streams and values stand that some proposals touch: first as the database has them, then with every proposal that was accepted.
/// Decides one after the other, so any mix of them can share a transaction.</summary>
internal sealed class ClaimState
{
    private readonly HashSet<UniqueValue> _reserved = [];
    private readonly HashSet<Guid> _locked = [];
    private readonly Dictionary<UniqueValue, Guid> _before = [];
    /// <summary>Null: given up.</summary>
    private readonly Dictionary<UniqueValue, Guid?> _since = [];
    private readonly Dictionary<Guid, long> _versions = [];
    private readonly HashSet<Guid> _begun = [];
    private readonly Dictionary<(Guid StreamId, long Version), (Guid EventId, long Position)> _events = [];
    private readonly Dictionary<(Guid StreamId, Guid EventId), string> _refused = [];
    private readonly HashSet<Guid> _refusedStreams = [];

    /// <summary>In the order in which they are to be appended.</summary>
    public List<Proposal> Accepted { get; } = [];

    /// <summary>Nobody else takes this value before this transaction has ended.</summary>
    public void Reserve(UniqueValue value) => _reserved.Add(value);

    /// <summary>Nobody else appends to this stream before this transaction has ended, nor gives up what it holds.</summary>
    public void Lock(Guid streamId) => _locked.Add(streamId);

    public void Holds(UniqueValue value, Guid streamId) => _before[value] = streamId;

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
        if (_begun.Contains(proposal.StreamId) && !_locked.Contains(proposal.StreamId)) return null;

        var moves = new Dictionary<UniqueValue, Guid?>();
        foreach (var claim in proposal.Claims.OrderBy(c => c.Constraint, StringComparer.Ordinal))
        {
            if (GiveUp(proposal, claim, moves) is { } conflict) return conflict;
            if (claim.Taken is not { } value || value == claim.GivenUp) continue;
            if (Holder(value, moves) is not null)
            {
                if (proposal.Named) Refused(proposal.StreamId, proposal.EventId, claim.Constraint);
                return proposal.NotUnique(claim.Constraint);
            }
            if (!_reserved.Contains(value)) return null;
            moves[value] = proposal.StreamId;
        }
        foreach (var (value, holder) in moves) _since[value] = holder;
        _versions[proposal.StreamId] = proposal.ExpectedVersion + 1;
        Accepted.Add(proposal);
        return proposal.Accepted(position: 0);
    }

    public List<UniqueValue> GivenUp() => [.. _since.Where(s => _before.TryGetValue(s.Key, out var before) && before != s.Value).Select(s => s.Key)];

    public List<(UniqueValue Value, Guid Stream)> Taken() =>
        [.. _since.Where(s => s.Value is { } now && !(_before.TryGetValue(s.Key, out var before) && before == now)).Select(s => (s.Key, s.Value!.Value))];

    private Verdict? GiveUp(Proposal proposal, Claim claim, Dictionary<UniqueValue, Guid?> moves)
    {
        if (claim.GivesUpAll)
        {
            foreach (var value in _before.Keys.Union(_since.Keys).Where(v => v.Constraint == claim.Constraint && Holder(v, moves) == proposal.StreamId)) moves[value] = null;
        }
        else if (claim.GivenUp is { } value)
        {
            // Who gives up a value that it does not hold has decided on an old state.
            if (Holder(value, moves) != proposal.StreamId) return proposal.VersionConflict();
            if (claim.Taken != value) moves[value] = null;
        }
        return null;
    }

    private Guid? Holder(UniqueValue value, Dictionary<UniqueValue, Guid?> moves) =>
        moves.TryGetValue(value, out var holder) || _since.TryGetValue(value, out holder) ? holder
        : _before.TryGetValue(value, out var before) ? before : null;
}
