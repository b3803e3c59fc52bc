using System.Diagnostics;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Operations;

/// <summary>What our own code adds to a trace, between what ASP.NET Core and Npgsql say. Names and tags are by OpenTelemetry's semantic
/// conventions for messaging; no tag holds anything that people typed.</summary>
public static class Tracing
{
    public static readonly ActivitySource Source = new("Signup.Hosting");

    /// <summary>Handing a message to the broker. What is described meanwhile belongs to it.</summary>
    public static Activity? Sending(string address, Type message, Guid messageId)
    {
        var activity = Source.StartActivity($"send {address}", ActivityKind.Producer);
        activity?.SetTag("messaging.system", "rabbitmq").SetTag("messaging.operation.type", "send").SetTag("messaging.destination.name", address)
            .SetTag("messaging.message.id", messageId.ToString()).SetTag("signup.message.type", message.FullName);
        return activity;
    }

    /// <summary>Handling a message that came from a queue.</summary>
    public static Activity? Processing(string queue, Incoming message)
    {
        var activity = Continue($"process {queue}", ActivityKind.Consumer, message.TraceParent);
        return activity?.SetTag("messaging.system", "rabbitmq").SetTag("messaging.operation.type", "process").SetTag("messaging.destination.name", queue)
            .SetTag("messaging.message.id", message.MessageId).SetTag("signup.message.type", message.Type);
    }

    /// <summary>Work that goes on later, perhaps in another process, where a trace has been written down.</summary>
    /// <param name="traceParent">As of W3C Trace Context; null: a trace of its own.</param>
    public static Activity? Continue(string name, ActivityKind kind, string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent) ? Source.StartActivity(name, kind, parent) : Source.StartActivity(name, kind);
}
