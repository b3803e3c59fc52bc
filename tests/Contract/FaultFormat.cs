using System.Text;
using Npgsql;
using RabbitMQ.Client;
using Signup.Hosting;
using Signup.Hosting.ServiceControl;

namespace Signup.Tests.Contract;

public class a_message_that_failed_here
{
    private static readonly EndpointIdentity Self = new("accounts");
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void looks_like_one_that_failed_in_an_NServiceBus_endpoint()
    {
        var captured = Captured.Get("failed message, as an NServiceBus endpoint sends it");
        var failed = Failed(Captured.Get("retry, as it arrives at the endpoint"), new InvalidOperationException("no") { Source = "Signup.Tests.Contract" });

        // What it writes about its own pipeline, and about its tracing, is its own affair; the retry's headers are in the other capture.
        var expected = Shape.Of(captured.Headers.Where(h => !h.Key.StartsWith("NServiceBus.ExceptionInfo.Data.", StringComparison.Ordinal)));
        var actual = Shape.OfHeaders(failed);
        actual.Remove(Headers.RetryUniqueMessageId);
        actual.Remove(Headers.RetryAcknowledgementQueue);
        Shape.Same(expected, actual);
        Shape.Same(Shape.Of(captured.Properties), Shape.Of(failed));
    }

    [Fact]
    public void keeps_what_ServiceControl_knows_it_by_and_forgets_what_failed_before()
    {
        var failed = Failed(Captured.Get("second failure of a retried message"), new InvalidOperationException("attempt 3"));
        Assert.Equal("c355d3b5-0de3-561a-085f-7a0a3ae726c2", failed.Headers![Headers.RetryUniqueMessageId]);
        Assert.Equal("error", failed.Headers[Headers.RetryAcknowledgementQueue]);
        Assert.Equal("kept", failed.Headers["X-custom"]);
        Assert.Equal("4d1f1f45-eb3b-4a84-85eb-a84849b567c3", failed.Headers[Headers.MessageId]);
        Assert.Equal("4d1f1f45-eb3b-4a84-85eb-a84849b567c3", failed.MessageId);
        Assert.DoesNotContain(Headers.Retries, failed.Headers.Keys);
        Assert.Equal("attempt 3", failed.Headers[Headers.ExceptionMessage]);
        Assert.Equal("System.InvalidOperationException", failed.Headers[Headers.ExceptionType]);
        Assert.Equal("accounts", failed.Headers[Headers.FailedQ]);
        Assert.Equal("accounts", failed.Headers[Headers.ProcessingEndpoint]);
        Assert.Equal(Self.HostId.ToString("N"), failed.Headers[Headers.HostId]);
        Assert.Equal("2026-11-23 10:00:00:000000 Z", failed.Headers[Headers.TimeOfFailure]);
    }

    /// <summary>Of a sender that is no endpoint, and of one that says half of it.</summary>
    [Fact]
    public void names_nobody_as_its_sender_whom_it_does_not_name_itself()
    {
        string[] senders = [Headers.OriginatingEndpoint, Headers.OriginatingMachine, Headers.OriginatingHostId, Headers.TimeSent];
        var properties = Wire.Copy(Wire.Read(new BasicProperties { MessageId = "m", Type = typeof(Messages.Accounts.SignUp).FullName }, ReadOnlyMemory<byte>.Empty));
        Assert.Empty(properties.Headers!.Keys.Intersect(senders));
        Assert.Equal(("m", "m"), (properties.Headers[Headers.MessageId], properties.Headers[Headers.ConversationId]));

        var half = Wire.Copy(Wire.Read(new BasicProperties { MessageId = "m", Headers = new Dictionary<string, object?> { [Headers.OriginatingEndpoint] = "Partner" } }, ReadOnlyMemory<byte>.Empty));
        Assert.Equal([Headers.OriginatingEndpoint], half.Headers!.Keys.Intersect(senders));
        Assert.Equal("Partner", half.Headers[Headers.OriginatingEndpoint]);
    }

    [Fact]
    public void says_what_lay_beneath()
    {
        var headers = Failed(Captured.Get("audited command"), new InvalidOperationException("a command failed", new TimeoutException("too late", new PostgresException("no room", "ERROR", "ERROR", "53100")))).Headers!;
        Assert.Equal("System.TimeoutException", headers[Headers.InnerExceptionType]);
        Assert.Equal("53100: no room\na command failed", headers[Headers.ExceptionMessage]);
    }

    [Fact]
    public void fits_into_one_frame_however_long_its_exception_and_in_whatever_script()
    {
        var headers = Failed(Captured.Get("audited command"), new InvalidOperationException(new string('漢', 400_000))).Headers!;
        Assert.InRange(((string)headers[Headers.ExceptionMessage]!).Length, 5_000, 16_384);
        Assert.InRange(headers.Sum(h => h.Key.Length + Encoding.UTF8.GetByteCount((string)h.Value!)), 1, 120_000);
    }

    private static BasicProperties Failed(Captured captured, Exception fault)
    {
        var properties = Wire.Copy(Wire.Read(captured.AsReceived(), Encoding.UTF8.GetBytes(captured.Payload)));
        Faults.Describe(properties.Headers!, fault, Self, Now);
        return properties;
    }
}
