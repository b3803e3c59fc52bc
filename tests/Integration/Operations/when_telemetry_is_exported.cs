using System.Net.Http.Json;

namespace Signup.Tests.Integration.Operations;

public sealed class when_telemetry_is_exported : IAsyncLifetime
{
    private readonly TelemetrySink _sink = new();
    private SignupSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await SignupSystem.StartAsync("telemetry", new Dictionary<string, string>
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _sink.Url, ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "200", ["OTEL_BLRP_SCHEDULE_DELAY"] = "200", ["OTEL_METRIC_EXPORT_INTERVAL"] = "1000",
    });

    public async ValueTask DisposeAsync()
    {
        await _system.DisposeAsync();
        await _sink.DisposeAsync();
    }

    [Fact]
    public async Task a_sign_up_is_one_trace_from_the_request_to_its_mail_and_nothing_typed_is_in_it()
    {
        using var gateway = _system.Client("Gateway");
        (await gateway.PostAsJsonAsync("/users", new { username = "gracehopper", email = "amazing.grace@example.org", password = "correct horse battery staple 9" })).EnsureSuccessStatusCode();

        var mail = await Wait.ForAsync(() => Task.FromResult(_sink.Spans.FirstOrDefault(s => s is { Service: "mail", Name: "send mail" })), "the mail's span", TimeSpan.FromSeconds(60));
        List<Span> Trace() => _sink.Spans.Where(s => s.Trace == mail.Trace).ToList();
        await Wait.UntilAsync(() => Task.FromResult(Trace() is var trace
            && trace.Exists(s => s is { Service: "gateway", Parent: "" })
            && trace.Exists(s => s is { Service: "gateway", Name: "send accounts" })
            && trace.Exists(s => s is { Service: "accounts", Name: "call uniqueness" })
            && trace.Exists(s => s is { Service: "uniqueness", Name: "commit" })
            && trace.Exists(s => s is { Service: "query" })), "all parts have told of it", TimeSpan.FromSeconds(60));

        // Every step hangs on the one before: from the mail upwards one comes to the request.
        var spans = Trace().DistinctBy(s => s.Id).ToDictionary(s => s.Id);
        var services = new List<string>();
        for (var at = mail; ; at = spans[at.Parent])
        {
            if (services.Count == 0 || services[^1] != at.Service) services.Add(at.Service);
            if (at.Parent == "") break;
        }
        Assert.Equal(["mail", "uniqueness", "accounts", "gateway"], services);

        foreach (var metric in new[] { "signup.sign_ups", "signup.verdict.duration", "signup.password_hash.wait", "signup.mail.attempts", "signup.mail.breaker", "signup.query.lag.seconds", "signup.uniqueness.lag.seconds" })
            await Wait.UntilAsync(() => Task.FromResult(_sink.Metrics.ContainsKey(metric)), $"the metric {metric}");
        Assert.DoesNotContain(_sink.Raw, r => r.Contains("gracehopper", StringComparison.OrdinalIgnoreCase) || r.Contains("amazing.grace", StringComparison.OrdinalIgnoreCase)
            || r.Contains("argon2", StringComparison.OrdinalIgnoreCase) || r.Contains("battery", StringComparison.Ordinal));
    }
}
