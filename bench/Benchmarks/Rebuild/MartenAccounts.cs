using JasperFx.Events;
using Marten.Events.Aggregation;
using Signup.Query.Accounts;

namespace Signup.Bench.Rebuild;

/// <summary>Marten's way to the same document.</summary>
public sealed class MartenAccounts : SingleStreamProjection<AccountDocument, Guid>
{
    public const string ProjectionName = "Accounts";

    public MartenAccounts() => Name = ProjectionName;

    public override AccountDocument? Evolve(AccountDocument? snapshot, Guid id, IEvent e) =>
        AccountDocument.After(snapshot, e.Data, id, e.Version, e.Sequence, e.Timestamp);
}
