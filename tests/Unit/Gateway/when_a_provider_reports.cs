using System.Text;
using System.Text.Json;
using Signup.Gateway.MailEvents;
using Signup.Messages.Mail;

namespace Signup.Tests.Unit.Gateway;

/// <summary>Requests as the providers' documentation shows them, shortened to what matters and what could mislead.</summary>
public sealed class when_a_provider_reports
{
    private const string Id = "activation.0199d3a2-7b1c-7e3a-9d52-3f1f0c8a4e11", MessageId = $"<{Id}@signup.example>";

    private static readonly DateTimeOffset At = new(2026, 11, 27, 10, 0, 1, TimeSpan.Zero);

    private static readonly ProviderShapes Shipped = ProviderShapes.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "mail-events.json")), "mail-events.json");

    private static ProviderRequest Read(string json) => Shipped.Read(Encoding.UTF8.GetBytes(json.Replace("\"ID\"", $"\"{MessageId}\"", StringComparison.Ordinal).Replace("NAME", Id, StringComparison.Ordinal)));

    private static string Sns(string message) => JsonSerializer.Serialize(new { Type = "Notification", MessageId = "22b80b92", TopicArn = "arn:aws:sns:eu-west-1:1:mail", Message = message.Replace("\"ID\"", $"\"{MessageId}\"", StringComparison.Ordinal), UnsubscribeURL = "https://sns.example/?Action=Unsubscribe" });

    private const string Mail = """ "mail":{"timestamp":"2026-11-27T10:00:00.000Z","messageId":"00000138111222aa-000000","destination":["jane@example.com"],"headers":[{"name":"Message-ID","value":"ID"}],"commonHeaders":{"from":["a@b.c"],"messageId":"ID","subject":"s"}} """;

    public static readonly TheoryData<string, string, MailEvent?, string?> Reports = new()
    {
        { "own", """{"messageId":"ID","event":"delivered","at":"2026-11-27T10:00:01Z"}""", MailEvent.Delivered, null },
        { "own", """{"messageId":"ID","event":"bounced","reason":"mailbox-full"}""", MailEvent.Bounced, "mailbox-full" },
        { "own", """{"messageId":"ID","event":"complained"}""", MailEvent.Complained, null },
        { "own, in milliseconds", """{"messageId":"ID","event":"complained","at":1795773601000}""", MailEvent.Complained, null },
        { "own", """{"messageId":"ID","event":"opened"}""", null, null },
        { "Amazon SES", Sns($$"""{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[{"emailAddress":"jane@example.com","status":"5.1.1"}],"timestamp":"2026-11-27T10:00:01Z"},{{Mail}}}"""), MailEvent.Bounced, null },
        { "Amazon SES", Sns($$"""{"notificationType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull","timestamp":"2026-11-27T10:00:01Z"},{{Mail}}}"""), MailEvent.Bounced, "mailbox-full" },
        // "Out of office" comes so.
        { "Amazon SES", Sns($$"""{"notificationType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"General","timestamp":"2026-11-27T10:00:01Z"},{{Mail}}}"""), null, null },
        { "Amazon SES", Sns($$"""{"notificationType":"Delivery","delivery":{"timestamp":"2026-11-27T10:00:01Z","smtpResponse":"250 ok"},{{Mail}}}"""), MailEvent.Delivered, null },
        { "Amazon SES", Sns($$"""{"notificationType":"Complaint","complaint":{"timestamp":"2026-11-27T10:00:01Z","complaintFeedbackType":"abuse"},{{Mail}}}"""), MailEvent.Complained, null },
        { "Amazon SES, raw", $$"""{"eventType":"Bounce","bounce":{"bounceType":"Undetermined","timestamp":"2026-11-27T10:00:01Z"},{{Mail}}}""", MailEvent.Bounced, null },
        { "Amazon SES, raw", $$"""{"eventType":"Delivery","delivery":{"timestamp":"2026-11-27T10:00:01Z"},{{Mail}}}""", MailEvent.Delivered, null },
        { "Amazon SES, raw", $$"""{"eventType":"Complaint","complaint":{"timestamp":"2026-11-27T10:00:01Z"},{{Mail}}}""", MailEvent.Complained, null },
        { "Amazon SES, raw", $$"""{"eventType":"DeliveryDelay","deliveryDelay":{"timestamp":"2026-11-27T10:00:01Z"},{{Mail}}}""", null, null },
        { "SendGrid", """[{"email":"jane@example.com","timestamp":1795773601,"smtp-id":"ID","event":"delivered","sg_message_id":"x","response":"250 OK"}]""", MailEvent.Delivered, null },
        { "SendGrid", """[{"timestamp":1795773601,"smtp-id":"ID","event":"bounce","type":"bounce","status":"5.0.0","reason":"500 unknown recipient jane@example.com"}]""", MailEvent.Bounced, null },
        { "SendGrid", """[{"timestamp":1795773601,"smtp-id":"ID","event":"bounce","type":"blocked","bounce_classification":"Unclassified"}]""", MailEvent.Bounced, "blocked" },
        { "SendGrid", """[{"timestamp":1795773601,"smtp-id":"ID","event":"dropped","reason":"Bounced Address"}]""", MailEvent.Bounced, "blocked" },
        { "SendGrid", """[{"timestamp":1795773601,"smtp-id":"ID","event":"spamreport"}]""", MailEvent.Complained, null },
        { "SendGrid", """[{"timestamp":1795773601,"smtp-id":"ID","event":"deferred","attempt":"5"}]""", null, null },
        { "Mailgun", """{"signature":{"token":"t"},"event-data":{"event":"failed","severity":"permanent","reason":"bounce","timestamp":1795773601.6585283,"message":{"headers":{"to":"jane@example.com","message-id":"NAME@signup.example"}}}}""", MailEvent.Bounced, null },
        { "Mailgun", """{"event-data":{"event":"failed","severity":"temporary","timestamp":1795773601.6,"message":{"headers":{"message-id":"NAME@signup.example"}}}}""", null, null },
        { "Mailgun", """{"event-data":{"event":"delivered","timestamp":1795773601.6,"message":{"headers":{"message-id":"NAME@signup.example"}}}}""", MailEvent.Delivered, null },
        { "Mailgun", """{"event-data":{"event":"complained","timestamp":1795773601.6,"message":{"headers":{"message-id":"NAME@signup.example"}}}}""", MailEvent.Complained, null },
        { "Postmark", """{"RecordType":"Bounce","ID":42,"Type":"HardBounce","TypeCode":1,"MessageID":"883953f4","Metadata":{"mail":"NAME"},"BouncedAt":"2026-11-27T11:00:01.9070259+01:00"}""", MailEvent.Bounced, null },
        { "Postmark", """{"RecordType":"Bounce","Type":"SoftBounce","MessageID":"883953f4","Metadata":{"mail":"NAME"},"BouncedAt":"2026-11-27T10:00:01Z"}""", MailEvent.Bounced, "unreachable" },
        { "Postmark", """{"RecordType":"Bounce","Type":"AutoResponder","MessageID":"883953f4","Metadata":{"mail":"NAME"},"BouncedAt":"2026-11-27T10:00:01Z"}""", null, null },
        { "Postmark", """{"RecordType":"Delivery","MessageID":"883953f4","Metadata":{"mail":"NAME"},"DeliveredAt":"2026-11-27T10:00:01Z"}""", MailEvent.Delivered, null },
        { "Postmark", """{"RecordType":"SpamComplaint","Type":"SpamComplaint","TypeCode":512,"MessageID":"0","Metadata":{"mail":"NAME"},"BouncedAt":"2026-11-27T10:00:01Z"}""", MailEvent.Complained, null },
        { "Mailjet", """{"event":"bounce","time":1795773601,"MessageID":13792286917004336,"CustomID":"NAME","hard_bounce":true,"error_related_to":"recipient","error":"user unknown"}""", MailEvent.Bounced, null },
        { "Mailjet", """[{"event":"bounce","time":1795773601,"CustomID":"NAME","hard_bounce":false,"error":"mailbox full"}]""", null, null },
        { "Mailjet", """{"event":"blocked","time":1795773601,"CustomID":"NAME","error":"preblocked"}""", MailEvent.Bounced, "blocked" },
        { "Mailjet", """{"event":"spam","time":1795773601,"CustomID":"NAME","source":"JMRPP"}""", MailEvent.Complained, null },
        { "Mailjet", """{"event":"sent","time":1795773601,"CustomID":"NAME"}""", MailEvent.Delivered, null },
        { "Brevo", """{"event":"hard_bounce","email":"jane@example.com","id":7,"date":"2026-11-27 11:00:01","ts":1795777201,"message-id":"<2026@smtp-relay.mailin.fr>","ts_event":1795773601,"X-Mailin-custom":"NAME","reason":"server is down"}""", MailEvent.Bounced, null },
        { "Brevo", """{"event":"soft_bounce","ts_event":1795773601,"X-Mailin-custom":"NAME"}""", null, null },
        { "Brevo", """{"event":"delivered","ts_event":1795773601,"X-Mailin-custom":"NAME"}""", MailEvent.Delivered, null },
        { "Brevo", """{"event":"spam","ts_event":1795773601,"X-Mailin-custom":"NAME"}""", MailEvent.Complained, null },
        { "SparkPost", """[{"msys":{"message_event":{"type":"bounce","bounce_class":"10","error_code":"550","rcpt_meta":{"mail":"NAME"},"message_id":"0004","timestamp":"1795773601"}}}]""", MailEvent.Bounced, null },
        { "SparkPost", """[{"msys":{"message_event":{"type":"out_of_band","bounce_class":"22","rcpt_meta":{"mail":"NAME"},"timestamp":"1795773601"}}}]""", MailEvent.Bounced, "mailbox-full" },
        { "SparkPost", """[{"msys":{"message_event":{"type":"out_of_band","bounce_class":"60","rcpt_meta":{"mail":"NAME"},"timestamp":"1795773601"}}}]""", null, null },
        { "SparkPost", """[{"msys":{"message_event":{"type":"spam_complaint","rcpt_meta":{"mail":"NAME"},"timestamp":"1795773601"}}}]""", MailEvent.Complained, null },
        { "Azure", """[{"id":"0","eventType":"Microsoft.Communication.EmailDeliveryReportReceived","data":{"messageId":"0","internetMessageId":"ID","status":"Bounced","deliveryAttemptTimestamp":"2026-11-27T10:00:01+00:00"}}]""", MailEvent.Bounced, null },
        { "Azure", """[{"id":"0","data":{"messageId":"0","internetMessageId":"ID","status":"Delivered","deliveryAttemptTimestamp":"2026-11-27T10:00:01+00:00"}}]""", MailEvent.Delivered, null },
    };

    [Theory, MemberData(nameof(Reports))]
    public void what_became_of_the_mail_is_read_from_its_own_words(string provider, string json, MailEvent? expected, string? reason)
    {
        var request = Read(json);
        Assert.Equal((provider, null, expected is null ? 1 : 0), (provider, request.Unknown, request.Passed));
        if (expected is null)
        {
            Assert.Empty(request.Reports);
            return;
        }
        var report = Assert.Single(request.Reports);
        Assert.Equal((expected, reason), (report.Event, report.Reason));
        Assert.Contains(Id, report.Mail, StringComparison.Ordinal);
        // Of our own shape the time may be left out.
        if (report.At is { } at) Assert.InRange(at, At, At.AddSeconds(0.999));
        else Assert.Equal("own", provider);
    }

    [Fact]
    public void many_may_come_at_once_and_what_is_of_no_known_shape_does_not_hold_up_the_rest()
    {
        var request = Read("""[{"messageId":"ID","event":"delivered"},7,{"to":"jane@example.com","what":1},{"messageId":"<else@elsewhere>","event":"bounced"}]""");
        Assert.Equal([(MessageId, MailEvent.Delivered), ("<else@elsewhere>", MailEvent.Bounced)], request.Reports.Select(r => (r.Mail, r.Event)));
        Assert.Equal("Number", request.Unknown);
        Assert.Equal("to, what", Read("""{"to":"jane@example.com","what":1}""").Unknown);
    }

    [Theory]
    [InlineData("""{"Type":"SubscriptionConfirmation","TopicArn":"arn","Message":"You have chosen to subscribe","SubscribeURL":"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336"}""", "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336")]
    [InlineData("""[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d","validationUrl":"https://rp-eastus.eventgrid.azure.net/validate?id=512d"}}]""", "https://rp-eastus.eventgrid.azure.net/validate?id=512d")]
    public void a_link_that_wants_to_be_opened_first_is_found(string json, string link)
    {
        var request = Read(json);
        Assert.Equal((link, null), (request.Confirmation?.AbsoluteUri, request.Unknown));
        Assert.Empty(request.Reports);
    }

    [Fact]
    public void it_is_answered_as_the_provider_understands_it()
    {
        Assert.Equal(202, Read("""{"messageId":"ID","event":"delivered"}""").Answer);
        Assert.Equal(200, Read("""{"event":"sent","time":1,"CustomID":"NAME"}""").Answer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"messageId":"\ud800","event":"delivered"}""")]
    [InlineData("""{"\ud800":"x"}""")]
    public void what_is_no_json_is_said_to_be_none(string json) => Assert.ThrowsAny<JsonException>(() => Read(json));

    [Theory]
    [InlineData("1e300")]
    [InlineData("-1")]
    [InlineData("\"yesterday\"")]
    [InlineData("null")]
    public void a_time_that_is_none_is_left_out(string at) => Assert.Null(Assert.Single(Read($$"""{"messageId":"ID","event":"delivered","at":{{at}}}""").Reports).At);

    [Theory]
    [InlineData("""{ "x": { "mail": "id" } }""", "events")]
    [InlineData("""{ "x": { "mail": "id", "events": [] } }""", "\"events\"")]
    [InlineData("""{ "x": { "mail": "id", "events": [ { "when": {}, "is": "bounced" } ] } }""", "\"when\"")]
    [InlineData("""{ "x": { "mail": "id", "events": [ { "when": { "a": "b" } } ] } }""", "is")]
    [InlineData("""{ "x": { "mail": "id", "events": [ { "when": { "a": "b" }, "is": "lost" } ] } }""", "lost|is")]
    [InlineData("""{ "x": { "mail": "id", "time": "at", "events": [ { "when": { "a": "b" }, "is": "bounced" } ] } }""", "time")]
    [InlineData("{", "file.json")]
    public void a_file_that_is_wrong_stops_the_start_and_says_what(string json, string named)
    {
        var message = Assert.Throws<InvalidOperationException>(() => ProviderShapes.Parse(json, "file.json")).Message;
        Assert.Contains("file.json", message, StringComparison.Ordinal);
        Assert.Contains(named.Split('|'), n => message.Contains(n, StringComparison.Ordinal));
    }
}
