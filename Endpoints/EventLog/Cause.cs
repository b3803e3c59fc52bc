using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Signup.EventLog;

/// <summary>The message that is being handled, as far as what it leads to has to know it: messages that are sent, and events, from which others are sent later.
/// By this an operator's tool draws who caused what, and a trace goes on where it went through a queue.</summary>
/// <param name="MessageId">Null outside a handler.</param>
/// <param name="TraceParent">As of W3C Trace Context. Null: that of the activity which is current when something is sent.</param>
/// <param name="Actor">Who is behind it, see <see cref="Actors"/>: of all that follows from it, until somebody acts on their own.</param>
public sealed record Cause(string? MessageId, string? ConversationId, string? CorrelationId, string? TraceParent = null, string? Actor = null)
{
    // Names of an event's headers in the log; frozen.
    private const string MessageIdHeader = "cause", ConversationHeader = "conversation", CorrelationHeader = "correlation", TraceParentHeader = "traceparent", ActorHeader = "actor";

    private static readonly AsyncLocal<Cause?> Ambient = new();

    /// <summary>Nothing that is known.</summary>
    public static Cause None { get; } = new(null, null, null);

    /// <summary>Nothing but who it is.</summary>
    public static Cause By(string actor) => None with { Actor = actor };

    /// <summary>Null where no message is being handled.</summary>
    public static Cause? Current => Ambient.Value;

    /// <summary>From here on this is what causes whatever happens.</summary>
    public static void Is(Cause? cause) => Ambient.Value = cause;

    /// <summary>For work that something else does on behalf of this caller, such as a transaction that many share.</summary>
    public static Cause Capture() => (Current ?? None) with { TraceParent = Activity.Current?.Id };

    /// <summary>What is sent until the end of the scope is caused by this.</summary>
    public Scope Enter()
    {
        var before = Current;
        Ambient.Value = this;
        return new Scope(before);
    }

    /// <summary>As it is noted with an event that is appended: JSON; null where there is nothing to note.</summary>
    [JsonIgnore]
    public string? Headers
    {
        get
        {
            var headers = new Dictionary<string, string>(5);
            Set(MessageIdHeader, MessageId);
            Set(CorrelationHeader, CorrelationId);
            Set(ConversationHeader, ConversationId == CorrelationId ? null : ConversationId);
            Set(TraceParentHeader, TraceParent);
            Set(ActorHeader, Actor);
            return headers.Count == 0 ? null : JsonSerializer.Serialize(headers, StoredContracts.Default.DictionaryStringString);

            void Set(string key, string? value)
            {
                if (value is not null) headers[key] = value;
            }
        }
    }

    /// <param name="headers">Of an event, as JSON; null where it has none.</param>
    public static Cause Read(string? headers)
    {
        // Marten writes a null where there are none, as earlier versions appended.
        if (headers is null or "null") return None;
        using var json = JsonDocument.Parse(headers);
        var correlation = Get(CorrelationHeader);
        return new(Get(MessageIdHeader), Get(ConversationHeader) ?? correlation, correlation, Get(TraceParentHeader), Get(ActorHeader));

        string? Get(string key) => json.RootElement.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    public readonly struct Scope(Cause? before) : IDisposable
    {
        public void Dispose() => Ambient.Value = before;
    }
}
