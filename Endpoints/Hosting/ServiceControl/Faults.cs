using System.Text;

namespace Signup.Hosting.ServiceControl;

/// <summary>What a message in the queue <c>error</c> says about its failure, in the headers that ServiceControl reads.</summary>
internal static class Faults
{
    /// <summary>NServiceBus's own limit, in characters.</summary>
    private const int LongestMessage = 16_384;

    /// <summary>All headers of a message must fit into one frame of 128 KiB; a larger publish would end the connection. In bytes.</summary>
    private const int HeaderBudget = 110_000;

    /// <summary>Adds what happened, in place of what an earlier failure has left there.</summary>
    public static void Describe(IDictionary<string, object?> headers, Exception fault, EndpointIdentity self, DateTimeOffset at)
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
        headers[Headers.ExceptionType] = fault.GetType().FullName;
        if (fault.InnerException is { } inner) headers[Headers.InnerExceptionType] = inner.GetType().FullName;
        if (fault.Source is { } source) headers[Headers.ExceptionSource] = source;
        headers[Headers.ExceptionMessage] = Cut(Reason(fault), LongestMessage, HeaderBudget / 3);
        headers[Headers.ExceptionStackTrace] = Cut(fault.ToString(), int.MaxValue, Math.Max(1_000, HeaderBudget - headers.Sum(h => h.Key.Length + Bytes(h.Value))));
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
