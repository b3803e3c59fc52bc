using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using Signup.Tests.Integration.Uniqueness;

namespace Signup.Tests.Integration.Operations;

/// <summary>Endpoints that report to a ServiceControl which is not there at first.</summary>
public sealed class when_ServiceControl_watches : IAsyncLifetime
{
    private static readonly Dictionary<string, string> Settings = new()
    {
        ["ServiceControl__Enabled"] = "true", ["ServiceControl__Interval"] = "00:00:01", ["ServiceControl__AuditQueue"] = "audit",
    };

    private SignupSystem _system = null!;
    private IChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _system = await SignupSystem.StartAsync("watched", Settings, "Accounts", "Uniqueness");
        _channel = await _system.Broker.OpenConfirmingChannelAsync(Wait.Token);
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task it_is_told_who_lives_how_they_are_and_how_long_messages_take_once_it_is_there()
    {
        // Nobody listens yet, and nothing comes of it but one line in the log.
        await SignUpAsync();
        await Wait.UntilAsync(() => Task.FromResult(File.ReadAllText(Path.Combine(_system.Parts.Directory, "Accounts-0.log")).Contains("Particular.ServiceControl cannot be reached", StringComparison.Ordinal)), "the log says so");
        Assert.True((await _system.Client("Accounts").GetAsync("/health/ready")).IsSuccessStatusCode);

        foreach (var address in new[] { "Particular.ServiceControl", "Particular.Monitoring", "audit" }) await Topology.DeclareQueueAsync(_channel, address, Wait.Token);

        var heartbeat = await NextAsync("Particular.ServiceControl", m => m.Properties.Type!.EndsWith(".EndpointHeartbeat", StringComparison.Ordinal) && Json(m).GetProperty("EndpointName").GetString() == "accounts");
        var instance = Json(heartbeat).GetProperty("HostId").GetGuid();
        Assert.Equal("4000", heartbeat.Properties.Expiration);
        await NextAsync("Particular.ServiceControl", m => m.Properties.Type!.EndsWith(".EndpointHeartbeat", StringComparison.Ordinal) && Json(m).GetProperty("EndpointName").GetString() == "uniqueness");
        foreach (var check in new[] { "postgresql", "event-log", "published-events", "rabbitmq" })
            await NextAsync("Particular.ServiceControl", m => m.Properties.Type!.EndsWith(".ReportCustomCheckResult", StringComparison.Ordinal)
                && Json(m).GetProperty("CustomCheckId").GetString() == check && !Json(m).GetProperty("HasFailed").GetBoolean());

        await SignUpAsync();
        var proposal = UniquenessPair.Proposal(Guid.NewGuid(), UniquenessPair.NewEmail());
        await _system.Commands.AskAsync<Verdict>("uniqueness", proposal, proposal.EventId, TimeSpan.FromSeconds(20), CancellationToken.None);
        var metadata = await NextAsync("Particular.Monitoring", m => m.Properties.Type == "NServiceBus.Metrics.EndpointMetadataReport" && m.Text.Contains("uniqueness", StringComparison.Ordinal));
        Assert.Equal("uniqueness", metadata.Headers[WireHeaders.OriginatingEndpoint]);
        foreach (var metric in new[] { "ProcessingTime", "CriticalTime" })
        {
            var series = await NextAsync("Particular.Monitoring", m => m.Headers.GetValueOrDefault(WireHeaders.MetricType) == metric && m.Headers[WireHeaders.OriginatingEndpoint] == "uniqueness");
            Assert.Contains(typeof(ProposeEvent).AssemblyQualifiedName!, Encoding.UTF8.GetString(series.Body), StringComparison.Ordinal);
        }

        // Started again, it is the same instance.
        await _system["Accounts"].StopAsync();
        var stopped = DateTimeOffset.UtcNow;
        await _system["Accounts"].StartAsync();
        var again = await NextAsync("Particular.ServiceControl", m => m.Properties.Type!.EndsWith(".EndpointHeartbeat", StringComparison.Ordinal)
            && Json(m).GetProperty("EndpointName").GetString() == "accounts" && Json(m).GetProperty("ExecutedAt").GetDateTimeOffset() > stopped);
        Assert.Equal(instance, Json(again).GetProperty("HostId").GetGuid());
    }

    [Fact]
    public async Task it_gets_a_copy_of_what_was_handled_without_what_people_typed()
    {
        await Topology.DeclareQueueAsync(_channel, "audit", Wait.Token);
        Failure copy = null!;
        await Wait.UntilAsync(async () =>
        {
            // The address is looked for again after a while.
            await SignUpAsync();
            return await FindAsync("audit", m => m.Properties.Type == typeof(SignUp).FullName) is { } found && (copy = found) is not null;
        }, "a copy in audit");

        Assert.Equal("accounts", copy.Headers[WireHeaders.ProcessingEndpoint]);
        Assert.True(Wire.ReadDate(copy.Headers[WireHeaders.ProcessingStarted]) <= Wire.ReadDate(copy.Headers[WireHeaders.ProcessingEnded]));
        Assert.True(copy.Headers.ContainsKey(WireHeaders.ConversationId));
        Assert.DoesNotMatch("(?i)grace|hopper|argon", copy.Text);
        Assert.True(Guid.TryParse(Json(copy).GetProperty("AccountId").GetString(), out _));
        Assert.Equal("test", copy.Headers[WireHeaders.OriginatingEndpoint]);

        // Nobody is taken for the sender of what does not say who has sent it: ServiceControl would wait for that one's heartbeat for ever.
        var id = Guid.NewGuid().ToString();
        await _channel.BasicPublishAsync("accounts", "", mandatory: true, new BasicProperties { MessageId = id, Type = typeof(SignUp).FullName }, JsonSerializer.SerializeToUtf8Bytes(NewSignUp()));
        copy = await NextAsync("audit", m => m.Headers[WireHeaders.MessageId] == id);
        Assert.Equal("accounts", copy.Headers[WireHeaders.ProcessingEndpoint]);
        Assert.DoesNotContain(copy.Headers.Keys, h => h.Contains("originating", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task it_hears_of_every_check_of_every_process()
    {
        await Topology.DeclareQueueAsync(_channel, "Particular.ServiceControl", Wait.Token);
        SignupProcess[] more = [_system.Add("Gateway"), _system.Add("Mail"), _system.Add("Query")];
        foreach (var process in more) await process.StartAsync();
        var expected = new HashSet<(string, string)>();
        foreach (var name in SignupSystem.All)
        {
            using var process = _system.Client(name);
            using var health = JsonDocument.Parse(await process.GetStringAsync("/health/ready"));
            expected.UnionWith(health.RootElement.GetProperty("checks").EnumerateObject().Select(c => (name.ToLowerInvariant(), c.Name)));
        }

        var reported = new HashSet<(string, string)>();
        await Wait.UntilAsync(async () =>
        {
            await FindAsync("Particular.ServiceControl", m =>
            {
                if (m.Properties.Type!.EndsWith(".ReportCustomCheckResult", StringComparison.Ordinal)) reported.Add((Json(m).GetProperty("EndpointName").GetString()!, Json(m).GetProperty("CustomCheckId").GetString()!));
                return false;
            });
            return expected.IsSubsetOf(reported);
        }, "each is reported");
        Assert.Equal(expected.Order(), reported.Order());
    }

    [Fact]
    public async Task it_misses_a_process_that_is_frozen_and_knows_it_again_when_it_goes_on()
    {
        await Topology.DeclareQueueAsync(_channel, "Particular.ServiceControl", Wait.Token);
        var instance = Json(await HeartbeatAsync("accounts")).GetProperty("HostId").GetGuid();

        await _system["Accounts"].FreezeAsync();
        var frozen = DateTimeOffset.UtcNow;
        for (var beats = 0; beats < 5; beats++)
        {
            var beat = await HeartbeatAsync(endpoint: null);
            Assert.True(Json(beat).GetProperty("EndpointName").GetString() == "uniqueness" || Json(beat).GetProperty("ExecutedAt").GetDateTimeOffset() <= frozen);
        }
        await _system["Accounts"].ContinueAsync();

        var again = await NextAsync("Particular.ServiceControl", m => IsHeartbeat(m, "accounts") && Json(m).GetProperty("ExecutedAt").GetDateTimeOffset() > frozen);
        Assert.Equal(instance, Json(again).GetProperty("HostId").GetGuid());

        Task<Failure> HeartbeatAsync(string? endpoint) => NextAsync("Particular.ServiceControl", m => IsHeartbeat(m, endpoint));
    }

    /// <summary>Who sent what to whom because of what: a sign-up that goes through both queues, since Accounts is told no address to call.</summary>
    [Fact]
    public async Task it_can_draw_how_a_sign_up_flows()
    {
        foreach (var queue in new[] { "audit", "error" }) await Topology.DeclareQueueAsync(_channel, queue, Wait.Token);
        await Partner.SubscribeAsync(_channel, "partner", typeof(AccountCreated));
        await _system["Accounts"].StopAsync();
        _system["Accounts"].Set("Uniqueness__Url", "");
        await _system["Accounts"].StartAsync();
        var (command, id, conversation) = (NewSignUp(), Guid.NewGuid().ToString(), "fcb3cb99-831c-4577-b771-b50b00d42b96");
        await _channel.BasicPublishAsync("accounts", "", mandatory: true, OperatedSystem.AsNServiceBus(typeof(SignUp), id), OperatedSystem.Body(command));

        var steps = new List<Failure> { await NextAsync("partner", m => true) };
        await Wait.UntilAsync(async () =>
        {
            if (await FindAsync("audit", m => m.Headers.GetValueOrDefault(WireHeaders.ConversationId) == conversation) is { } copy) steps.Add(copy);
            return steps.Count == 3;
        }, "both steps are in audit");

        Assert.All(steps, s => Assert.Equal(conversation, s.Headers[WireHeaders.ConversationId]));
        // Whoever appends to the log publishes what is in it, also what another one has appended.
        var publisher = steps[0].Headers[WireHeaders.OriginatingEndpoint];
        Assert.True(publisher is "accounts" or "uniqueness", publisher);
        Assert.Equal(
            [("AccountCreated", publisher, null, id), ("ProposeEvent", "accounts", "uniqueness", id), ("SignUp", "partner", "accounts", null)],
            steps.Select(s => (s.Properties.Type!.Split('.')[^1], s.Headers[WireHeaders.OriginatingEndpoint], s.Headers.GetValueOrDefault(WireHeaders.ProcessingEndpoint), s.Headers.GetValueOrDefault(WireHeaders.RelatedTo))).Order());
    }

    private static bool IsHeartbeat(Failure message, string? endpoint) => message.Properties.Type!.EndsWith(".EndpointHeartbeat", StringComparison.Ordinal)
        && (endpoint is null || Json(message).GetProperty("EndpointName").GetString() == endpoint);

    private static SignUp NewSignUp() => new(Guid.CreateVersion7(), "grace", $"hopper-{Guid.NewGuid():N}@example.org", "$argon2id$test", "en", DateTimeOffset.UtcNow);

    private Task<Verdict?> SignUpAsync()
    {
        var command = NewSignUp();
        return _system.Commands.AskAsync<Verdict>("accounts", command, command.AccountId, TimeSpan.FromSeconds(20), CancellationToken.None);
    }

    private static JsonElement Json(Failure message) => JsonDocument.Parse(message.Body).RootElement;

    private Task<Failure> NextAsync(string queue, Func<Failure, bool> wanted) => Wait.ForAsync(() => FindAsync(queue, wanted), $"a certain message in {queue}", TimeSpan.FromSeconds(90));

    private async Task<Failure?> FindAsync(string queue, Func<Failure, bool> wanted)
    {
        while (await _channel.BasicGetAsync(queue, autoAck: true) is { } got)
        {
            var message = new Failure(new BasicProperties(got.BasicProperties), got.BasicProperties.Headers!.ToDictionary(h => h.Key, h => h.Value is byte[] b ? Encoding.UTF8.GetString(b) : $"{h.Value}"), got.Body.ToArray());
            if (wanted(message)) return message;
        }
        return null;
    }
}
