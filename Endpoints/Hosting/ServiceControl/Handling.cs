using JasperFx;
using JasperFx.CodeGeneration;
using JasperFx.CodeGeneration.Frames;
using Wolverine;
using Wolverine.Configuration;
using Wolverine.Runtime.Handlers;

namespace Signup.Hosting.ServiceControl;

/// <summary>What surrounds every handler: what it sends belongs to the conversation of its message, and its success is told to whoever asked to hear.</summary>
public sealed class Handling(RetryAcknowledgement acknowledgement)
{
    /// <summary>Called by generated code before the handler.</summary>
    public static void Begin(Envelope envelope) => Cause.Is(envelope);

    /// <summary>Called by generated code after the handler's work is committed and what it returned is sent, and before its message is
    /// acknowledged to the broker. A failure here makes the message come again.</summary>
    public Task EndAsync(Envelope envelope) => acknowledgement.SendAsync(envelope);

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
