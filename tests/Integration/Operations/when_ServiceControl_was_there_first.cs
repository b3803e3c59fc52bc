using System.Text.Json;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using Signup.Tests.Contract;
using Signup.Tests.Fixture;
using Headers = Signup.Hosting.Headers;

namespace Signup.Tests.Integration.Operations;

[Collection("watched system")]
public sealed class when_ServiceControl_was_there_first(WatchedSystem watched)
{
    /// <summary>NServiceBus's own tracing switch; whoever does not know it leaves it out.</summary>
    private const string NotOurs = "NServiceBus.OpenTelemetry.StartNewTrace";

    [Theory]
    [InlineData("Uniqueness")]
    [InlineData("Mail")]
    [InlineData("Query")]
    [InlineData("Gateway")]
    public async Task it_hears_of_a_process_within_ten_seconds_of_its_first_sign_of_life(string process)
    {
        var first = await watched.ServiceControl.HeartbeatAsync(process.ToLowerInvariant());
        var alive = watched.System[process].AliveSince!.Value;
        var after = first.ArrivedAt - alive;
        // On a machine so busy that coming up takes longer than that, as long again.
        var starting = alive - watched.System[process].StartedAt;
        Assert.True(after <= TimeSpan.FromSeconds(10) || after <= starting, $"It came after {after}.");
    }

    [Theory]
    [InlineData("uniqueness", "outbox")]
    [InlineData("mail", "postgresql")]
    [InlineData("query", "read-model")]
    [InlineData("gateway", "rabbitmq")]
    public async Task it_hears_that_a_process_finds_all_well(string endpoint, string check)
    {
        var report = await watched.ServiceControl.CheckAsync(endpoint, check, failed: false);
        Assert.Equal(JsonValueKind.Null, report.Body.GetProperty("FailureReason").ValueKind);
    }

    [Fact]
    public async Task it_hears_that_the_mail_provider_is_down()
    {
        await watched.SignUpAsync();
        var report = await watched.ServiceControl.CheckAsync("mail", "mail-provider", failed: true);
        Assert.StartsWith("The mail provider is in trouble", report.Body.GetProperty("FailureReason").GetString()!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task it_hears_nothing_of_a_process_that_was_not_told_of_it()
    {
        // It has something to tell of: it lives, and handles a message.
        await watched.SignUpAsync();
        var since = DateTimeOffset.UtcNow;
        await Wait.UntilAsync(() => Task.FromResult(watched.ServiceControl.Reports.Count(r => r is { Kind: "EndpointHeartbeat", Endpoint: "query" } && r.ArrivedAt > since) >= 2), "another has told of itself twice meanwhile");

        Assert.DoesNotContain(watched.ServiceControl.Reports, r => r.Endpoint == "accounts");
        Assert.DoesNotContain(watched.ServiceControl.Figures, f => f.Headers[Headers.OriginatingEndpoint] == "accounts");
        Assert.DoesNotContain(watched.ServiceControl.Audited, c => c.Headers[Headers.ProcessingEndpoint] == "accounts");
    }

    [Fact]
    public async Task the_copy_of_an_event_looks_like_one_of_NServiceBus()
    {
        var copy = await CopyAsync(async () =>
        {
            var id = await watched.SignUpAsync();
            return c => c.Properties.Type == typeof(AccountCreated).FullName && c.Headers[Headers.ProcessingEndpoint] == "mail" && c.Text.Contains(id.ToString(), StringComparison.Ordinal);
        });

        var captured = Captured.Get("audited event");
        // Nobody is to answer an event, so it names no address to reply to.
        Shape.Same(Shape.Of(captured.Properties.Where(p => p.Key != "reply_to")), Shape.Of(copy.Properties));
        Shape.Same(Shape.Of(captured.Headers.Where(h => h.Key is not (NotOurs or Headers.ReplyToAddress))), Shape.Of(copy.OwnHeaders));
        Assert.Equal(typeof(AccountCreated).AssemblyQualifiedName, copy.Headers[Headers.EnclosedMessageTypes]);
        Assert.Equal("uniqueness", copy.Headers[Headers.OriginatingEndpoint]);
    }

    [Fact]
    public async Task the_copy_of_a_retry_says_that_it_is_acknowledged_already()
    {
        var copy = await CopyAsync(async () =>
        {
            var command = OperatedSystem.NewSignUp();
            FailedMessage failed;
            await using (await watched.System.BreakUniquenessAsync())
            {
                await watched.System.Commands.SendAsync("accounts", command, command.AccountId, Wait.Deadline, CancellationToken.None);
                failed = await watched.ServiceControl.ProposalFailedAsync(command.AccountId);
            }
            await watched.ServiceControl.RetryAsync(failed);
            await Wait.UntilAsync(() => Task.FromResult(failed.Status == "resolved"), "it was handled");
            return c => c.Properties.Type == typeof(ProposeEvent).FullName && c.Text.Contains(command.AccountId.ToString(), StringComparison.Ordinal);
        });

        // Else the audit instance would acknowledge it once more.
        Assert.Equal("true", copy.Headers[Headers.RetryAcknowledgementSent]);
        Assert.True(Guid.TryParse(copy.Headers[Headers.RetryUniqueMessageId], out _));
    }

    /// <summary>The copy of what was done. A copy may be lost while its address is being looked for; then it is done again.</summary>
    /// <param name="act">Does something, and says by what its copy is known.</param>
    private async Task<Delivery> CopyAsync(Func<Task<Func<Delivery, bool>>> act)
    {
        var known = new List<Func<Delivery, bool>>();
        return await Wait.ForAsync(async () =>
        {
            known.Add(await act());
            return watched.ServiceControl.Audited.FirstOrDefault(c => known.Any(k => k(c)));
        }, "a copy in audit");
    }
}
