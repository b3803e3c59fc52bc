using System.Text.Json;
using Signup.Hosting;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Hosting.ServiceControl;

namespace Signup.Tests.Contract;

public class a_report_about_this_endpoint
{
    private static readonly EndpointIdentity Self = new("accounts");
    private static readonly Reports Reports = new(Self, new ServiceControlSettings());
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 52, 48, TimeSpan.FromHours(2));

    [Fact]
    public void as_a_heartbeat_is_what_ServiceControl_reads() =>
        LooksLike("to Particular.ServiceControl: ServiceControl.Plugin.Heartbeat.Messages.EndpointHeartbeat", Reports.Heartbeat(Now), expiration: "40000");

    [Fact]
    public void as_a_failed_check_is_what_ServiceControl_reads() =>
        LooksLike("to Particular.ServiceControl: ServiceControl.Plugin.CustomChecks.Messages.ReportCustomCheckResult", Reports.CustomCheck("mail-provider", "down", Now), expiration: "40000");

    [Fact]
    public void as_metadata_is_what_the_monitoring_instance_reads() =>
        LooksLike("to Particular.Monitoring: NServiceBus.Metrics.EndpointMetadataReport", Reports.Metadata(), expiration: "600000");

    [Theory, InlineData("ProcessingTime"), InlineData("CriticalTime"), InlineData("Retries")]
    public void as_a_series_is_what_the_monitoring_instance_reads(string metric)
    {
        var captured = Captured.Get($"to Particular.Monitoring: {metric}");
        var ours = Reports.Series(metric, [new Occurrence(1, "a", 1)]);
        Shape.Same(Shape.Of(captured.Headers), Shape.OfHeaders(ours.Properties));
        Assert.Equal(metric, ours.Properties.Headers![WireHeaders.MetricType]);
        Assert.Equal(captured.Properties["content_type"], ours.Properties.ContentType);
    }

    [Fact]
    public void says_that_a_check_has_passed_as_well()
    {
        var body = JsonDocument.Parse(Reports.CustomCheck("event-log", null, Now).Body).RootElement;
        Assert.False(body.GetProperty("HasFailed").GetBoolean());
        Assert.Equal("event-log", body.GetProperty("CustomCheckId").GetString());
        Assert.Equal("2026-11-23T10:52:48Z", body.GetProperty("ReportedAt").GetString());
    }

    [Fact]
    public void of_its_start_has_what_ServiceControl_demands()
    {
        var startup = Reports.Startup(Now, "1.0");
        var body = JsonDocument.Parse(startup.Body).RootElement;
        Assert.Equal(["Endpoint", "Host", "HostDisplayName", "HostId", "HostProperties", "StartedAt"], body.EnumerateObject().Select(p => p.Name).Order());
        Assert.Equal("ServiceControl.Plugin.Heartbeat.Messages.RegisterEndpointStartup", startup.Properties.Type);
        Assert.Equal(Self.HostId, body.GetProperty("HostId").GetGuid());
    }

    [Fact]
    public void names_the_same_instance_after_a_restart_and_another_one_for_each_endpoint()
    {
        Assert.Equal(new EndpointIdentity("accounts").HostId, new EndpointIdentity("accounts").HostId);
        Assert.NotEqual(new EndpointIdentity("mail").HostId, new EndpointIdentity("accounts").HostId);
    }

    private static void LooksLike(string name, Reported ours, string expiration)
    {
        var captured = Captured.Get(name);
        Shape.Same(Shape.Of(captured.Properties), Shape.Of(ours.Properties));
        Shape.Same(Shape.Of(captured.Headers), Shape.OfHeaders(ours.Properties));
        Assert.Equal(captured.Properties["type"], ours.Properties.Type);
        Assert.Equal(expiration, ours.Properties.Expiration);
        var (expected, actual) = (JsonDocument.Parse(captured.Payload).RootElement, JsonDocument.Parse(ours.Body).RootElement);
        Assert.Equal(expected.EnumerateObject().Select(p => (p.Name, p.Value.ValueKind)).Order(), actual.EnumerateObject().Select(p => (p.Name, p.Value.ValueKind)).Order());
    }
}

public class personal_data
{
    [Fact]
    public void in_a_body_is_masked_and_the_rest_stays_readable()
    {
        var masked = JsonDocument.Parse(Masking.MaskBody(JsonSerializer.SerializeToUtf8Bytes(new
        {
            AccountId = Guid.Parse("0199f000-0000-7000-8000-000000000001"), Username = "Ada", Email = "ada@example.org", PasswordHash = "$argon2id$x", Language = "en",
            RequestedAt = Now, Once = true, ExpectedVersion = 3, Type = "AccountCreated", Data = new { username = "Ada", mail = "ada@example.org" },
        }))).RootElement;
        Assert.Equal("0199f000-0000-7000-8000-000000000001", masked.GetProperty("AccountId").GetString());
        Assert.Equal("AccountCreated", masked.GetProperty("Type").GetString());
        Assert.Equal("en", masked.GetProperty("Language").GetString());
        Assert.Equal(Now, masked.GetProperty("RequestedAt").GetDateTimeOffset());
        Assert.Equal(3, masked.GetProperty("ExpectedVersion").GetInt32());
        Assert.DoesNotMatch("(?i)ada|example|argon", masked.GetRawText());
    }

    [Fact]
    public void in_a_body_that_cannot_be_read_is_not_shown() => Assert.Equal("(15 bytes that are no JSON)", Masking.MaskBody("ada@example.org"u8));

    [Theory]
    [InlineData("duplicate key: Key (email)=(ada lovelace) already exists")]
    [InlineData("The address <ada@example.org> was refused")]
    [InlineData("Failing row contains (1, Ada, x)")]
    public void in_an_exception_is_masked(string text) => Assert.DoesNotMatch("(?i)ada|lovelace|example", Masking.MaskText(text));

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 52, 48, TimeSpan.Zero);
}
