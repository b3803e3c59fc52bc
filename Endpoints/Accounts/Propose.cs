using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Signup.EventLog;
using Signup.Messages.Uniqueness;

namespace Signup.Accounts;

/// <summary>How events that touch a unique value are handed to Uniqueness.</summary>
internal static class Propose
{
    /// <param name="eventId">See <see cref="IdOf"/>.</param>
    /// <param name="expectedVersion">The version the decision was based on.</param>
    public static ProposeEvent Event(Guid accountId, Guid eventId, long expectedVersion, object happened, bool once = false) => new(
        accountId, eventId, expectedVersion, EventTypes.Of(happened).Name, JsonSerializer.SerializeToElement(happened, happened.GetType(), LogJson.Options), once);

    /// <summary>The id of a proposal that is the same whenever <paramref name="content"/> is: a digest of it. Those of sign-ups are in the log for ever.</summary>
    public static Guid IdOf(params object[] content) => new(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', content)))[..16]);
}
