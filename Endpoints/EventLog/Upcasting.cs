using System.Text.Json;
using System.Text.Json.Nodes;
using Marten;
using Marten.Services.Json.Transformations.SystemTextJson;

namespace Signup.EventLog;

/// <summary>
/// Brings stored events of older shapes into the present one, on every way out of the log. What is stored stays as it is.
/// A new step is added at the end; the steps before it stay, since they lead up to it.
/// </summary>
public static class Upcasting
{
    /// <param name="IsOld">Of the stored JSON, cheaply: it is asked of every event of the kind.</param>
    private sealed record Upcaster(string Type, Func<string, bool> IsOld, Action<JsonObject> Update);

    private static readonly ILookup<string, Upcaster> Upcasters = new Upcaster[]
    {
        // Before mails were written in more than one language, an account had none: they were English.
        new("AccountCreated", json => !json.Contains("\"language\"", StringComparison.Ordinal), data => data["language"] = "en"),
    }.ToLookup(u => u.Type);

    /// <summary>The event's JSON in its present shape; the same string where it has it already.</summary>
    public static string Apply(string type, string json)
    {
        foreach (var upcaster in Upcasters[type])
        {
            if (!upcaster.IsOld(json)) continue;
            var data = JsonNode.Parse(json)!.AsObject();
            upcaster.Update(data);
            json = data.ToJsonString(LogJson.Options);
        }
        return json;
    }

    /// <summary>Tells Marten how it reads events of this kind.</summary>
    internal static void Map(StoreOptions options, EventType type)
    {
        // Marten has no keys: to it, personal texts are empty.
        if (Upcasters.Contains(type.Name) || type.IsPersonal)
            options.Events.Upcast(type.Stored, type.Name, JsonTransformations.Upcast(stored =>
                JsonSerializer.Deserialize(Apply(type.Name, PersonalData.Open(type, Guid.Empty, stored.RootElement.GetRawText(), key: null)), type.Stored, LogJson.Options)!));
        // Also behind an upcast, which says how a name is read and not how it is written.
        options.Events.MapEventType(type.Stored, type.Name);
    }
}
