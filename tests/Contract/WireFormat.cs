using System.Diagnostics;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;

namespace Signup.Tests.Contract;

public class a_message_of_ours
{
    private static readonly EndpointIdentity Self = new("accounts");
    private static readonly Wire Wire = new(Self);

    private static readonly Guid Id = Guid.NewGuid();

    /// <summary>NServiceBus's own tracing switch; whoever does not know it leaves it out.</summary>
    private const string NotOurs = "NServiceBus.OpenTelemetry.StartNewTrace";

    [Fact]
    public void as_a_command_looks_like_one_of_NServiceBus()
    {
        var captured = Captured.Get("retry, as it arrives at the endpoint");
        var id = Guid.NewGuid();
        var ours = Wire.Describe(typeof(SignUp), id, "Send", replyTo: "partner", correlationId: id.ToString());

        Shape.Same(Shape.Of(captured.Properties), Shape.Of(ours));
        Shape.Same(AsSent(captured), Shape.OfHeaders(ours));
    }

    [Fact]
    public void as_an_event_looks_like_one_of_NServiceBus()
    {
        var captured = Captured.Get("event, as a subscriber receives it");
        var ours = Published();

        // Nobody is to answer an event, so it names no address to reply to.
        Shape.Same(Shape.Of(captured.Properties.Where(p => p.Key != "reply_to")), Shape.Of(ours));
        var expected = AsSent(captured);
        expected.Remove(WireHeaders.ReplyToAddress);
        Shape.Same(expected, Shape.OfHeaders(ours));
    }

    [Fact]
    public void says_the_same_where_a_property_and_a_header_say_it()
    {
        var ours = Wire.Describe(typeof(SignUp), Guid.NewGuid(), "Send", "partner", "a-correlation");
        Assert.Equal(ours.MessageId, ours.Headers![WireHeaders.MessageId]);
        Assert.Equal(ours.CorrelationId, ours.Headers[WireHeaders.CorrelationId]);
        Assert.Equal(ours.ReplyTo, ours.Headers[WireHeaders.ReplyToAddress]);
        Assert.Equal(ours.ContentType, ours.Headers[WireHeaders.ContentType]);
        Assert.Equal("Signup.Messages.Accounts.SignUp", ours.Type);
        Assert.Equal("Signup.Messages.Accounts.SignUp, Signup.Messages, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null", ours.Headers[WireHeaders.EnclosedMessageTypes]);
    }

    [Fact]
    public void caused_by_another_belongs_to_its_conversation()
    {
        var incoming = Received(Captured.Get("audited command"));
        Cause.Is(incoming.AsCause());
        var reply = Wire.Describe(typeof(ActivationVerdict), Guid.NewGuid(), "Reply", null, incoming.CorrelationId);
        Assert.Equal("b47ce4c0-7561-4c44-80f3-b50b00d42ac8", reply.Headers![WireHeaders.RelatedTo]);
        Assert.Equal("1127f6e1-1023-4b5f-b866-b50b00d42aca", reply.Headers[WireHeaders.ConversationId]);

        var published = Published();
        Assert.Equal("b47ce4c0-7561-4c44-80f3-b50b00d42ac8", published.Headers![WireHeaders.RelatedTo]);
        Assert.Equal("1127f6e1-1023-4b5f-b866-b50b00d42aca", published.Headers[WireHeaders.ConversationId]);
        Assert.Equal("b47ce4c0-7561-4c44-80f3-b50b00d42ac8", published.CorrelationId);
    }

    [Fact]
    public void caused_by_a_retry_does_not_look_like_a_retry()
    {
        Cause.Is(Received(Captured.Get("retry, as it arrives at the endpoint")).AsCause());
        var sent = Wire.Describe(typeof(ActivationVerdict), Guid.NewGuid(), "Reply", null, "c");
        var published = Published();
        Assert.DoesNotContain(sent.Headers!.Keys.Concat(published.Headers!.Keys), h => h.StartsWith("ServiceControl.", StringComparison.Ordinal));
    }

    [Fact]
    public void says_who_is_behind_it_where_that_is_known()
    {
        Assert.False(Wire.Describe(typeof(SignUp), Guid.NewGuid(), "Send", null, "c").Headers!.ContainsKey(WireHeaders.Actor));
        Cause.Is(Cause.By(Actors.Person));
        Assert.Equal("person", Wire.Describe(typeof(SignUp), Guid.NewGuid(), "Send", null, "c").Headers![WireHeaders.Actor]);
        Assert.Equal("person", Published().Headers![WireHeaders.Actor]);
    }

    [Fact]
    public void carries_the_trace_it_belongs_to()
    {
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        Assert.Equal(activity.Id, Wire.Describe(typeof(SignUp), Guid.NewGuid(), "Send", null, "c").Headers![WireHeaders.TraceParent]);
        Assert.Equal(activity.Id, Published().Headers![WireHeaders.TraceParent]);
    }

    [Fact]
    public void says_dates_in_28_characters_whatever_the_culture()
    {
        var before = Thread.CurrentThread.CurrentCulture;
        try
        {
            Thread.CurrentThread.CurrentCulture = new System.Globalization.CultureInfo("ar-SA");
            Assert.Equal("2026-11-23 12:52:29:327686 Z", Wire.Date(new DateTimeOffset(2026, 11, 23, 13, 52, 29, TimeSpan.FromHours(1)).AddTicks(3_276_860)));
            Assert.Equal(new DateTimeOffset(2026, 11, 23, 12, 52, 29, TimeSpan.Zero).AddTicks(3_276_860), Wire.ReadDate("2026-11-23 12:52:29:327686 Z"));
        }
        finally
        {
            Thread.CurrentThread.CurrentCulture = before;
        }
    }

    [Fact]
    public void has_a_body_in_PascalCase()
    {
        using var body = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(Sample.Of(typeof(SignUp)), Wire.Json));
        Assert.All(body.RootElement.EnumerateObject(), p => Assert.True(char.IsUpper(p.Name[0]), p.Name));
    }

    /// <summary>The headers of a message as its sender wrote them, of one that was captured after it had been processed.</summary>
    private static SortedDictionary<string, string> AsSent(Captured captured) => Shape.Of(captured.Headers.Where(h =>
        h.Key is not (NotOurs or WireHeaders.ProcessingEndpoint or WireHeaders.ProcessingMachine or WireHeaders.HostId or WireHeaders.HostDisplayName)
        && !h.Key.StartsWith("ServiceControl.", StringComparison.Ordinal)));

    /// <summary>An event that was appended by whatever is handled now, and published from the log later, when nothing is.</summary>
    private static BasicProperties Published()
    {
        var cause = Cause.Capture();
        var appended = (cause.MessageId is null ? cause with { MessageId = Guid.NewGuid().ToString() } : cause).Headers;
        var published = Task.CompletedTask;
        BasicProperties properties = null!;
        using (ExecutionContext.SuppressFlow())
            published = Task.Run(() => properties = EventPublisher.Describe(Wire, EventTypes.Find("AccountActivated")!,
                new LoggedEvent(9, Guid.NewGuid(), 2, Id, "AccountActivated", "{}", DateTimeOffset.UtcNow, appended)));
        published.GetAwaiter().GetResult();
        Assert.Equal(Id.ToString(), properties.MessageId);
        return properties;
    }

    private static Incoming Received(Captured captured) => Wire.Read(captured.AsReceived(), Encoding.UTF8.GetBytes(captured.Payload));
}

public class a_message_from_NServiceBus
{
    [Fact]
    public void is_understood()
    {
        var message = Received(Captured.Get("audited command").AsReceived());
        Assert.Equal(Guid.Parse("b47ce4c0-7561-4c44-80f3-b50b00d42ac8"), message.Id);
        Assert.Equal("b47ce4c0-7561-4c44-80f3-b50b00d42ac8", message.CorrelationId);
        Assert.Equal("1127f6e1-1023-4b5f-b866-b50b00d42aca", message[WireHeaders.ConversationId]);
        Assert.Equal("SignUp.Contracts.DoSignUp", message.Type);
        Assert.Equal("NsbDemo", message.Headers[WireHeaders.ReplyToAddress]);
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 12, 52, 28, TimeSpan.Zero).AddTicks(6_235_100), Wire.ReadDate(message[WireHeaders.TimeSent]));
    }

    [Fact]
    public void that_encloses_many_types_is_taken_as_the_first_of_ours()
    {
        var received = Captured.Get("audited command").AsReceived();
        received.Headers![WireHeaders.EnclosedMessageTypes] = Encoding.UTF8.GetBytes(
            "Partner.BulkSignUp, Partner, Version=2.0.0.0, Culture=neutral, PublicKeyToken=null;" + typeof(SignUp).AssemblyQualifiedName);
        Assert.Equal("Signup.Messages.Accounts.SignUp", Received(received).Type);
    }

    /// <summary>An endpoint elsewhere knows nothing of actors, but every one says which it is.</summary>
    [Fact]
    public void is_its_endpoints_doing_where_it_does_not_say_whose()
    {
        var received = Captured.Get("audited command").AsReceived();
        Assert.Equal(Captured.Get("audited command").Headers[WireHeaders.OriginatingEndpoint], Received(received).AsCause().Actor);
        received.Headers![WireHeaders.Actor] = Encoding.UTF8.GetBytes("operator:ada");
        Assert.Equal("operator:ada", Received(received).AsCause().Actor);
    }

    [Fact]
    public void keeps_every_header_it_came_with()
    {
        var captured = Captured.Get("retry, as it arrives at the endpoint");
        Assert.Equal(captured.Headers.OrderBy(h => h.Key), Received(captured.AsReceived()).Headers.OrderBy(h => h.Key).ToDictionary(h => h.Key, h => h.Value!));
    }

    [Theory]
    [InlineData("Partner.Odd[["), InlineData("Partner.Odd`1[[Partner.Other, Partner]]"), InlineData("[]"), InlineData("*"), InlineData("\\"), InlineData(" ")]
    public void that_names_its_type_in_no_way_that_makes_sense_is_read_all_the_same(string type)
    {
        var message = Received(new BasicProperties { MessageId = "m", Headers = new Dictionary<string, object?> { [WireHeaders.EnclosedMessageTypes] = Encoding.UTF8.GetBytes(type) } });
        Assert.Equal("m", message.MessageId);
        Assert.False(message.Type.StartsWith("Signup.", StringComparison.Ordinal));
    }

    [Fact]
    public void that_is_a_retry_is_another_delivery_every_time_though_the_broker_calls_it_the_same()
    {
        var captured = Captured.Get("retry, as it arrives at the endpoint").AsReceived();
        var (first, second) = (Received(captured), Received(captured));
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal("18d7b8ad-0989-42ed-abd1-b50b00d42b96", first.Headers[WireHeaders.MessageId]);
        Assert.Equal(first.Headers[WireHeaders.MessageId], second.Headers[WireHeaders.MessageId]);
    }

    [Fact]
    public void without_any_header_is_understood_by_its_properties()
    {
        var message = Received(new BasicProperties { MessageId = "not-a-guid", Type = typeof(SignUp).FullName, ReplyTo = "partner", CorrelationId = "c" });
        Assert.Equal("not-a-guid", message.Headers[WireHeaders.MessageId]);
        Assert.Equal("Signup.Messages.Accounts.SignUp", message.Type);
        Assert.Equal("partner", message.Headers[WireHeaders.ReplyToAddress]);
        Assert.Equal("c", message.CorrelationId);
    }

    [Fact]
    public void without_anything_still_has_a_name_and_a_type_to_fail_under()
    {
        var message = Received(new BasicProperties());
        Assert.True(Guid.TryParse(message.Headers[WireHeaders.MessageId], out _));
        Assert.Equal(Wire.UnknownType, message.Type);
    }

    [Fact]
    public void has_header_values_of_any_AMQP_type_as_text_and_none_of_the_brokers_own()
    {
        var message = Received(new BasicProperties
        {
            Headers = new Dictionary<string, object?>
            {
                ["number"] = 5L, ["flag"] = true, ["time"] = new AmqpTimestamp(1795438349), ["list"] = new List<object?> { "a"u8.ToArray(), "b"u8.ToArray() },
                ["x-delivery-count"] = 3L, ["x-death"] = new List<object?>(), ["x-first-death-queue"] = "q"u8.ToArray(), ["nothing"] = null, ["never"] = new AmqpTimestamp(long.MaxValue),
            },
        });
        Assert.Equal("5", message.Headers["number"]);
        Assert.Equal("True", message.Headers["flag"]);
        Assert.Equal("2026-11-23 12:52:29:000000 Z", message.Headers["time"]);
        Assert.Equal("a;b", message.Headers["list"]);
        Assert.Equal("9223372036854775807", message.Headers["never"]);
        Assert.DoesNotContain(message.Headers.Keys, h => h.StartsWith("x-", StringComparison.Ordinal) || h == "nothing");
    }

    private static Incoming Received(BasicProperties properties) => Wire.Read(properties, ReadOnlyMemory<byte>.Empty);
}
