using System.Diagnostics;
using System.Text.Json;
using Signup.Messages.Transport;
using Wolverine;
using Wolverine.Runtime;

namespace Signup.Hosting;

/// <summary>Handles the messages that share one, each as if it had come alone: with its own headers, trace and answer. One that fails becomes a message of its
/// own, which is tried again, and in the end set aside, without the others.</summary>
public static class BundleHandler
{
    public static Task Handle(Bundle bundle, Envelope incoming, IWolverineRuntime runtime, HandlerSends sends, CancellationToken cancellation) =>
        Task.WhenAll(bundle.Messages.Select(m => HandleAsync(Unpack(m, incoming), (WolverineRuntime)runtime, sends, cancellation)));

    private static Envelope Unpack(BundledMessage message, Envelope incoming)
    {
        var envelope = new Envelope { Data = message.Body, Destination = incoming.Destination };
        foreach (var (key, value) in incoming.Headers) envelope.Headers[key] = value;
        foreach (var (key, value) in message.Headers) envelope.Headers[key] = value;
        Wire.Read(envelope);
        return envelope;
    }

    private static async Task HandleAsync(Envelope envelope, WolverineRuntime runtime, HandlerSends sends, CancellationToken cancellation)
    {
        using var activity = Tracing.Continue("process", ActivityKind.Consumer, envelope.ParentId);
        try
        {
            if (runtime.Handlers.TryFindMessageType(envelope.MessageType!, out var type) && runtime.Handlers.HandlerFor(type) is { } handler)
            {
                envelope.Message = JsonSerializer.Deserialize(envelope.Data, type, Wire.Json);
                await handler.HandleAsync(new Context(runtime, envelope), cancellation);
                return;
            }
        }
        catch (Exception) when (!cancellation.IsCancellationRequested)
        {
            activity?.SetStatus(ActivityStatusCode.Error);
        }
        await sends.SendAgainAsync(envelope);
    }

    /// <summary>What a handler's generated code asks for.</summary>
    private sealed class Context : MessageContext
    {
        public Context(IWolverineRuntime runtime, Envelope envelope) : base(runtime) => (Envelope, CorrelationId) = (envelope, envelope.CorrelationId);
    }
}
