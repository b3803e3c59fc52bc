using System.Diagnostics;
using JasperFx;
using JasperFx.CodeGeneration;
using JasperFx.CodeGeneration.Frames;
using Signup.EventLog;
using Wolverine;
using Wolverine.Configuration;
using Wolverine.Runtime.Handlers;

namespace Signup.Hosting.ServiceControl;

/// <summary>What surrounds every handler: what it sends belongs to the conversation of its message, and what became of it is told to whoever asked to hear.</summary>
public sealed class Handling(RetryAcknowledgement acknowledgement, MessageFigures figures, Audit audit, TimeProvider time)
{
    /// <summary>Called by generated code before the handler.</summary>
    public Started Begin(Envelope envelope)
    {
        Cause.Is(Wire.CauseOf(envelope));
        if (envelope.Attempts > 1) figures.Retried(envelope);
        return new Started(time.GetUtcNow(), Stopwatch.GetTimestamp());
    }

    /// <summary>Called by generated code after the handler's work is committed and what it returned is sent, and before its message is
    /// acknowledged to the broker. A failure here makes the message come again.</summary>
    public async Task EndAsync(Envelope envelope, Started started)
    {
        await acknowledgement.SendAsync(envelope);
        figures.Handled(envelope, Stopwatch.GetElapsedTime(started.Timestamp));
        audit.Handled(envelope, started.At);
    }

    public sealed record Started(DateTimeOffset At, long Timestamp);

    internal sealed class Policy : IHandlerPolicy
    {
        public void Apply(IReadOnlyList<HandlerChain> chains, GenerationRules rules, IServiceContainer container)
        {
            foreach (var chain in chains)
            {
                chain.Middleware.Insert(0, new MethodCall(typeof(Handling), nameof(Begin)));
                chain.PostCommitPostprocessors.Add(new MethodCall(typeof(Handling), nameof(EndAsync)));
            }
        }
    }
}
