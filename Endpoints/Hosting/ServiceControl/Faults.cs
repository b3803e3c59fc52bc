using System.Text;
using RabbitMQ.Client;
using Wolverine;
using Wolverine.RabbitMQ.Internal;

namespace Signup.Hosting.ServiceControl;

/// <summary>What a message in the queue <c>error</c> says about its failure, in the headers that ServiceControl reads.</summary>
internal static class Faults
{
    /// <summary>NServiceBus's own limit, in characters.</summary>
    private const int LongestMessage = 16_384;

    /// <summary>All headers of a message must fit into one frame of 128 KiB; a larger publish would end the connection. In bytes.</summary>
    private const int HeaderBudget = 110_000;

    /// <summary>Adds what happened, in place of what an earlier failure has left there.</summary>
    public static void Describe(IDictionary<string, object?> headers, Exception fault, EndpointIdentity self, DateTimeOffset at) =>
        Describe(headers, fault.GetType().FullName!, fault.InnerException?.GetType().FullName, Reason(fault), fault.Source, fault.ToString(), self, at);

    public static void Describe(IDictionary<string, object?> headers, string type, string? inner, string message, string? source, string stackTrace,
        EndpointIdentity self, DateTimeOffset at)
    {
        // Counters and faults belong to one stay in a queue. Whatever ServiceControl has put there stays: by it, it knows its message again.
        foreach (var stale in headers.Keys.Where(k => k.StartsWith(Headers.ExceptionInfo, StringComparison.Ordinal)
            || k.StartsWith(Headers.Retries, StringComparison.Ordinal) || k.StartsWith(Headers.DelayedRetries, StringComparison.Ordinal)).ToList()) headers.Remove(stale);
        headers[Headers.FailedQ] = self.Name;
        headers[Headers.TimeOfFailure] = Wire.Date(at);
        headers[Headers.ProcessingEndpoint] = self.Name;
        headers[Headers.ProcessingMachine] = self.Machine;
        headers[Headers.HostId] = self.HostId.ToString("N");
        headers[Headers.HostDisplayName] = self.Machine;
        headers[Headers.ExceptionType] = type;
        if (inner is not null) headers[Headers.InnerExceptionType] = inner;
        if (source is not null) headers[Headers.ExceptionSource] = source;
        headers[Headers.ExceptionMessage] = Cut(message, LongestMessage, HeaderBudget / 3);
        headers[Headers.ExceptionStackTrace] = Cut(stackTrace, int.MaxValue, Math.Max(1_000, HeaderBudget - headers.Sum(h => h.Key.Length + Bytes(h.Value))));
    }

    /// <summary>What lay beneath comes first, such as the database's own words with its SQLSTATE: what wraps it may say no more than that a command has failed.</summary>
    private static string Reason(Exception fault) => fault.GetBaseException() is var reason && reason != fault ? $"{reason.Message}\n{fault.Message}" : fault.Message;

    private static int Bytes(object? value) => value is string text ? Encoding.UTF8.GetByteCount(text) : 0;

    private static string Cut(string text, int characters, int bytes)
    {
        if (text.Length > characters) text = text[..characters];
        return Encoding.UTF8.GetByteCount(text) <= bytes ? text : text[..Math.Min(text.Length, bytes / 3)];
    }

    /// <summary>For the few failures that the bus moves to <c>error</c> by itself, such as a handler that cannot be compiled: its words into ours.</summary>
    internal sealed class OfTheBus(Wire wire, EndpointIdentity self, TimeProvider time) : IRabbitMqEnvelopeMapper
    {
        public void MapEnvelopeToOutgoing(Envelope envelope, IBasicProperties outgoing)
        {
            wire.MapEnvelopeToOutgoing(envelope, outgoing);
            Describe(outgoing.Headers!, Take("exception-type") ?? "unknown", null, Take("exception-message") ?? "", null, Take("exception-stack") ?? "", self, time.GetUtcNow());
            string? Take(string key) => outgoing.Headers!.Remove(key, out var value) ? value as string : null;
        }

        public void MapIncomingToEnvelope(Envelope envelope, IReadOnlyBasicProperties incoming) => wire.MapIncomingToEnvelope(envelope, incoming);
    }
}
