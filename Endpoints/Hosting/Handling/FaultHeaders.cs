using System.Text;
using Signup.Hosting.RabbitMq;

namespace Signup.Hosting.Handling;

/// <summary>What a message in the queue <c>error</c> says about its failure, in the headers that ServiceControl reads.</summary>
internal static class FaultHeaders
{
    /// <summary>NServiceBus's own limit, in characters.</summary>
    private const int LongestMessage = 16_384;

    /// <summary>All headers of a message must fit into one frame of 128 KiB; a larger publish would end the connection. In bytes.</summary>
    private const int HeaderBudget = 110_000;

    /// <summary>Adds what happened, in place of what an earlier failure has left there.</summary>
    public static void Describe(IDictionary<string, object?> headers, Exception fault, EndpointIdentity self, DateTimeOffset at)
    {
        // Counters and faults belong to one stay in a queue. Whatever ServiceControl has put there stays: by it, it knows its message again.
        foreach (var stale in headers.Keys.Where(k => k.StartsWith(WireHeaders.ExceptionInfo, StringComparison.Ordinal)
            || k.StartsWith(WireHeaders.Retries, StringComparison.Ordinal) || k.StartsWith(WireHeaders.DelayedRetries, StringComparison.Ordinal)).ToList()) headers.Remove(stale);
        headers[WireHeaders.FailedQ] = self.Name;
        headers[WireHeaders.TimeOfFailure] = Wire.Date(at);
        headers[WireHeaders.ProcessingEndpoint] = self.Name;
        headers[WireHeaders.ProcessingMachine] = self.Machine;
        headers[WireHeaders.HostId] = self.HostId.ToString("N");
        headers[WireHeaders.HostDisplayName] = self.Machine;
        headers[WireHeaders.ExceptionType] = fault.GetType().FullName;
        if (fault.InnerException is { } inner) headers[WireHeaders.InnerExceptionType] = inner.GetType().FullName;
        if (fault.Source is { } source) headers[WireHeaders.ExceptionSource] = source;
        headers[WireHeaders.ExceptionMessage] = Cut(Reason(fault), LongestMessage, HeaderBudget / 3);
        headers[WireHeaders.ExceptionStackTrace] = Cut(fault.ToString(), int.MaxValue, Math.Max(1_000, HeaderBudget - headers.Sum(h => h.Key.Length + Bytes(h.Value))));
    }

    /// <summary>What lay beneath comes first, such as the database's own words with its SQLSTATE: what wraps it may say no more than that a command has failed.</summary>
    private static string Reason(Exception fault) => fault.GetBaseException() is var reason && reason != fault ? $"{reason.Message}\n{fault.Message}" : fault.Message;

    private static int Bytes(object? value) => value is string text ? Encoding.UTF8.GetByteCount(text) : 0;

    private static string Cut(string text, int characters, int bytes)
    {
        if (text.Length > characters) text = text[..characters];
        return Encoding.UTF8.GetByteCount(text) <= bytes ? text : text[..Math.Min(text.Length, bytes / 3)];
    }
}
