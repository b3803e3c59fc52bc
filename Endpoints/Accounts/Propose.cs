using System.Text.Json;
using Signup.EventLog;
using Signup.Messages.Uniqueness;

namespace Signup.Accounts;

/// <summary>How events that touch a unique value are handed to Uniqueness.</summary>
internal static class Propose
{
    /// <param name="eventId">See <see cref="EventLog.Accounts.ProposalId"/>.</param>
    /// <param name="expectedVersion">The version the decision was based on.</param>
    public static ProposeEvent Event(Guid accountId, Guid eventId, long expectedVersion, object happened, bool once = false) => new(
        accountId, eventId, expectedVersion, EventTypes.Of(happened).Name, JsonSerializer.SerializeToElement(happened, happened.GetType(), LogJson.Options), once);

    /// <summary>What is asked for is so already, or cannot be.</summary>
    /// <param name="version">The account's, where it is so.</param>
    public static (ProposeEvent?, Verdict?) Nothing(Guid accountId, VerdictOutcome outcome, long version = 0) => (null, new Verdict(accountId, Guid.Empty, outcome, version, 0, null));
}
