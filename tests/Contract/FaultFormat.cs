using System.Text;
using Npgsql;
using RabbitMQ.Client;
using Signup.Hosting;
using Signup.Hosting.Handling;
using Signup.Hosting.RabbitMq;

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
        actual.Remove(WireHeaders.RetryUniqueMessageId);
        actual.Remove(WireHeaders.RetryAcknowledgementQueue);
        Shape.Same(expected, actual);
        Shape.Same(Shape.Of(captured.Properties), Shape.Of(failed));
    }

    [Fact]
    public void keeps_what_ServiceControl_knows_it_by_and_forgets_what_failed_before()
    {
        var failed = Failed(Captured.Get("second failure of a retried message"), new InvalidOperationException("attempt 3"));
        Assert.Equal("c355d3b5-0de3-561a-085f-7a0a3ae726c2", failed.Headers![WireHeaders.RetryUniqueMessageId]);
        Assert.Equal("error", failed.Headers[WireHeaders.RetryAcknowledgementQueue]);
        Assert.Equal("kept", failed.Headers["X-custom"]);
        Assert.Equal("4d1f1f45-eb3b-4a84-85eb-a84849b567c3", failed.Headers[WireHeaders.MessageId]);
        Assert.Equal("4d1f1f45-eb3b-4a84-85eb-a84849b567c3", failed.MessageId);
        Assert.DoesNotContain(WireHeaders.Retries, failed.Headers.Keys);
        Assert.Equal("attempt 3", failed.Headers[WireHeaders.ExceptionMessage]);
        Assert.Equal("System.InvalidOperationException", failed.Headers[WireHeaders.ExceptionType]);
        Assert.Equal("accounts", failed.Headers[WireHeaders.FailedQ]);
        Assert.Equal("accounts", failed.Headers[WireHeaders.ProcessingEndpoint]);
        Assert.Equal(Self.HostId.ToString("N"), failed.Headers[WireHeaders.HostId]);
        Assert.Equal("2026-11-23 10:00:00:000000 Z", failed.Headers[WireHeaders.TimeOfFailure]);
    }

    /// <summary>Of a sender that is no endpoint, and of one that says half of it.</summary>
    [Fact]
    public void names_nobody_as_its_sender_whom_it_does_not_name_itself()
    {
        string[] senders = [WireHeaders.OriginatingEndpoint, WireHeaders.OriginatingMachine, WireHeaders.OriginatingHostId, WireHeaders.TimeSent];
        var properties = Wire.Copy(Wire.Read(new BasicProperties { MessageId = "m", Type = typeof(Messages.Accounts.SignUp).FullName }, ReadOnlyMemory<byte>.Empty));
        Assert.Empty(properties.Headers!.Keys.Intersect(senders));
        Assert.Equal(("m", "m"), (properties.Headers[WireHeaders.MessageId], properties.Headers[WireHeaders.ConversationId]));

        var half = Wire.Copy(Wire.Read(new BasicProperties { MessageId = "m", Headers = new Dictionary<string, object?> { [WireHeaders.OriginatingEndpoint] = "Partner" } }, ReadOnlyMemory<byte>.Empty));
        Assert.Equal([WireHeaders.OriginatingEndpoint], half.Headers!.Keys.Intersect(senders));
        Assert.Equal("Partner", half.Headers[WireHeaders.OriginatingEndpoint]);
    }

    [Fact]
    public void says_what_lay_beneath()
    {
        var headers = Failed(Captured.Get("audited command"), new InvalidOperationException("a command failed", new TimeoutException("too late", new PostgresException("no room", "ERROR", "ERROR", "53100")))).Headers!;
        Assert.Equal("System.TimeoutException", headers[WireHeaders.InnerExceptionType]);
        Assert.Equal("53100: no room\na command failed", headers[WireHeaders.ExceptionMessage]);
    }

    [Fact]
    public void fits_into_one_frame_however_long_its_exception_and_in_whatever_script()
    {
        var headers = Failed(Captured.Get("audited command"), new InvalidOperationException(new string('漢', 400_000))).Headers!;
        Assert.InRange(((string)headers[WireHeaders.ExceptionMessage]!).Length, 5_000, 16_384);
        Assert.InRange(headers.Sum(h => h.Key.Length + Encoding.UTF8.GetByteCount((string)h.Value!)), 1, 120_000);
    }

    private static BasicProperties Failed(Captured captured, Exception fault)
    {
        var properties = Wire.Copy(Wire.Read(captured.AsReceived(), Encoding.UTF8.GetBytes(captured.Payload)));
        FaultHeaders.Describe(properties.Headers!, fault, Self, Now);
        return properties;
    }
}
