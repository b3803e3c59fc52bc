using System.Diagnostics;
using Wolverine;

namespace Signup.Hosting;

/// <summary>The message that is being handled, as far as the messages that it leads to have to know it. By this an operator's tool
/// draws who caused what, and a trace goes on where a message went through a queue.</summary>
/// <param name="MessageId">Null outside a handler.</param>
/// <param name="TraceParent">Null: that of the activity which is current when something is sent.</param>
public sealed record Cause(string? MessageId, string? ConversationId, string? CorrelationId, string? TraceParent = null)
{
    private static readonly AsyncLocal<Cause?> Ambient = new();

    /// <summary>Null where no message is being handled.</summary>
    public static Cause? Current => Ambient.Value;

    /// <summary>What caused this is now that message. Called by generated code before a handler.</summary>
    public static void Is(Envelope incoming) =>
        Ambient.Value = new(incoming.Headers.GetValueOrDefault(Headers.MessageId), incoming.Headers.GetValueOrDefault(Headers.ConversationId), incoming.CorrelationId);

    /// <summary>For work that something else does on behalf of this caller, such as a transaction that many share.</summary>
    public static Cause Capture() => (Current ?? new(null, null, null)) with { TraceParent = Activity.Current?.Id };

    /// <summary>What is sent until the end of the scope is caused by this.</summary>
    public Scope Enter()
    {
        var before = Current;
        Ambient.Value = this;
        return new Scope(before);
    }

    /// <summary>Written when the message is created, since it may leave the outbox later, and from another process.</summary>
    public static void Stamp(Envelope outgoing)
    {
        Set(Headers.RelatedTo, Current?.MessageId);
        Set(Headers.ConversationId, Current?.ConversationId);
        Set(Headers.CorrelationId, Current?.CorrelationId);
        Set(Headers.TraceParent, Current?.TraceParent ?? Activity.Current?.Id);

        void Set(string key, string? value)
        {
            if (value is not null) outgoing.Headers[key] = value;
        }
    }

    public readonly struct Scope(Cause? before) : IDisposable
    {
        public void Dispose() => Ambient.Value = before;
    }
}
