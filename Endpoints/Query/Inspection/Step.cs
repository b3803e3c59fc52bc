using System.Text.Json.Nodes;
using Signup.EventLog;
using Signup.Query.Accounts;

namespace Signup.Query.Inspection;

/// <summary>One field that an event changed; null where it was, or is, not there.</summary>
public sealed record Change(string Field, string? Before, string? After);

/// <summary>One event of an account, and what it did.</summary>
/// <param name="State">The account after it; null where the stream is none.</param>
public sealed record Step(LoggedEvent Event, JsonObject? State, IReadOnlyList<Change> Changes)
{
    /// <summary>Fields that change with every event and tell nothing of it.</summary>
    private static readonly string[] Bookkeeping = ["version", "position", "updatedAt"];

    /// <summary>The account's life, event by event.</summary>
    /// <param name="events">A stream in order, from its first event.</param>
    public static IEnumerable<Step> Of(IEnumerable<LoggedEvent> events)
    {
        AccountDocument? account = null;
        var before = new JsonObject();
        foreach (var e in events)
        {
            account = AccountDocument.Next(account, e);
            var after = account is null ? null : JsonNode.Parse(account.ToJson())!.AsObject();
            yield return new Step(e, after, [.. Between("", before, after ?? []).Where(c => !Bookkeeping.Contains(c.Field))]);
            before = after ?? [];
        }
    }

    private static IEnumerable<Change> Between(string prefix, JsonObject before, JsonObject after)
    {
        foreach (var name in after.Select(p => p.Key).Union(before.Select(p => p.Key)))
        {
            var (was, now) = (before[name], after[name]);
            if (JsonNode.DeepEquals(was, now)) continue;
            if (was is JsonObject || now is JsonObject)
                foreach (var inner in Between($"{prefix}{name}.", was as JsonObject ?? [], now as JsonObject ?? [])) yield return inner;
            else
                yield return new Change(prefix + name, was?.ToString(), now?.ToString());
        }
    }
}
