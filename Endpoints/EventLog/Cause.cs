using System.Diagnostics;
using System.Text.Json;
using JasperFx.Events;

namespace Signup.EventLog;

/// <summary>The message that is being handled, as far as what it leads to has to know it: messages that are sent, and events, from which others are sent later.
/// By this an operator's tool draws who caused what, and a trace goes on where it went through a queue.</summary>
/// <param name="MessageId">Null outside a handler.</param>
/// <param name="TraceParent">As of W3C Trace Context. Null: that of the activity which is current when something is sent.</param>
public sealed record Cause(string? MessageId, string? ConversationId, string? CorrelationId, string? TraceParent = null)
{
    // Names of an event's headers in the log; frozen.
    private const string MessageIdHeader = "cause", ConversationHeader = "conversation", CorrelationHeader = "correlation", TraceParentHeader = "traceparent";

    private static readonly AsyncLocal<Cause?> Ambient = new();

    /// <summary>Null where no message is being handled.</summary>
    public static Cause? Current => Ambient.Value;

    /// <summary>From here on this is what causes whatever happens.</summary>
    public static void Is(Cause? cause) => Ambient.Value = cause;

    /// <summary>For work that something else does on behalf of this caller, such as a transaction that many share.</summary>
    public static Cause Capture() => (Current ?? new(null, null, null)) with { TraceParent = Activity.Current?.Id };

    /// <summary>What is sent until the end of the scope is caused by this.</summary>
    public Scope Enter()
    {
        var before = Current;
        Ambient.Value = this;
        return new Scope(before);
    }

    /// <summary>Notes it with an event that is about to be appended.</summary>
    public void Stamp(IEvent e)
    {
        Set(MessageIdHeader, MessageId);
        Set(CorrelationHeader, CorrelationId);
        Set(ConversationHeader, ConversationId == CorrelationId ? null : ConversationId);
        Set(TraceParentHeader, TraceParent);

        void Set(string key, string? value)
        {
            if (value is not null) e.SetHeader(key, value);
        }
    }

    /// <param name="headers">Of an event, as JSON; null where it has none.</param>
    public static Cause Read(string? headers)
    {
        // Marten writes a null where there are none.
        if (headers is null or "null") return new(null, null, null);
        using var json = JsonDocument.Parse(headers);
        var correlation = Get(CorrelationHeader);
        return new(Get(MessageIdHeader), Get(ConversationHeader) ?? correlation, correlation, Get(TraceParentHeader));

        string? Get(string key) => json.RootElement.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    public readonly struct Scope(Cause? before) : IDisposable
    {
        public void Dispose() => Ambient.Value = before;
    }
}
