using System.Net;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Tests.Integration.Operations;

/// <summary>An operator's slip, under a running endpoint.</summary>
public sealed class when_a_queue_is_deleted : IAsyncLifetime
{
    /// <summary>For the endpoint to take messages again once nothing prevents it.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private SignupSystem _system = null!;
    private IChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _system = await SignupSystem.StartAsync("noqueue", null, "Accounts", "Uniqueness");
        _channel = await _system.Broker.OpenChannelAsync(Wait.Token);
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task its_endpoint_declares_it_again_and_goes_on()
    {
        foreach (var queue in new[] { Topology.Accounts, Topology.Uniqueness }) await _channel.QueueDeleteAsync(queue, cancellationToken: Wait.Token);
        foreach (var queue in new[] { Topology.Accounts, Topology.Uniqueness }) await _channel.ExchangeDeleteAsync(queue, cancellationToken: Wait.Token);
        await Wait.UntilAsync(async () => await SignUpAsync() == VerdictOutcome.Accepted, "somebody can sign up", Soon);
    }

    [Fact]
    public async Task and_cannot_be_declared_again_its_endpoint_is_not_ready_and_says_why()
    {
        using var http = _system.Client("Accounts");
        // It may be faster than this, and declare it.
        await Wait.UntilAsync(async () =>
        {
            try
            {
                await using var channel = await _system.Broker.OpenChannelAsync(Wait.Token);
                await channel.QueueDeleteAsync(Topology.Accounts, cancellationToken: Wait.Token);
                await channel.QueueDeclareAsync(Topology.Accounts, durable: true, exclusive: false, autoDelete: false, cancellationToken: Wait.Token);
                return true;
            }
            catch (OperationInterruptedException)
            {
                return false;
            }
        }, "there is a queue of another kind");
        await Wait.UntilAsync(async () => (await HealthAsync()) is (HttpStatusCode.ServiceUnavailable, { } why) && why.Contains("PRECONDITION_FAILED", StringComparison.Ordinal), "it says why");

        await _channel.QueueDeleteAsync(Topology.Accounts, cancellationToken: Wait.Token);
        await Wait.UntilAsync(async () => (await HealthAsync()).Status == HttpStatusCode.OK && await SignUpAsync() == VerdictOutcome.Accepted, "somebody can sign up", Soon);

        async Task<(HttpStatusCode Status, string? Why)> HealthAsync()
        {
            using var response = await http.GetAsync("health/ready", Wait.Token);
            using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Wait.Token));
            return (response.StatusCode, json.RootElement.GetProperty("checks").GetProperty("messages").GetProperty("description").GetString());
        }
    }

    private async Task<VerdictOutcome?> SignUpAsync()
    {
        var id = Guid.CreateVersion7();
        var command = new SignUp(id, "Ada", $"{id}@example.org", "$argon2id$v=19$", "en", DateTimeOffset.UtcNow);
        try
        {
            return (await _system.Commands.AskAsync<Verdict>(Topology.Accounts, command, id, TimeSpan.FromSeconds(2), Wait.Token))?.Outcome;
        }
        catch (BrokerUnavailableException)
        {
            return null;
        }
    }
}
