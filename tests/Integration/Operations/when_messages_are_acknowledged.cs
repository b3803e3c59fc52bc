using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Tests.Integration.Operations;

/// <summary>Many at once, some time after they were handled.</summary>
public sealed class when_messages_are_acknowledged : IAsyncLifetime
{
    private SignupSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await SignupSystem.StartAsync("acks", null, "Accounts", "Uniqueness");

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task in_whatever_order_they_end_those_in_work_alone_stay_with_the_broker()
    {
        const int count = 500, prefetch = 200;
        string[] inWork = ["3", "77", "450"];
        await using var other = await _system.Broker.OpenChannelAsync(Wait.Token);
        var queue = (await other.QueueDeclareAsync("acks", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: Wait.Token)).QueueName;
        for (var n = 0; n < count; n++) await other.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes($"{n}"), Wait.Token);

        var done = new ConcurrentBag<string>();
        await using (var channel = await _system.Broker.OpenChannelAsync(Wait.Token, prefetch))
        {
            var acknowledgements = new Acknowledgements(channel, prefetch);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += async (_, e) =>
            {
                var (body, tag) = (Encoding.UTF8.GetString(e.Body.Span), e.DeliveryTag);
                acknowledgements.Begin(tag);
                if (inWork.Contains(body)) return;
                // Some end at once, and those that came after them before.
                for (var n = Random.Shared.Next(5); n > 0; n--) await Task.Yield();
                await acknowledgements.EndAsync(tag);
                done.Add(body);
            };
            await channel.BasicQosAsync(0, prefetch, global: false, Wait.Token);
            await channel.BasicConsumeAsync(queue, autoAck: false, consumer, Wait.Token);
            await Wait.UntilAsync(async () => done.Count == count - inWork.Length && await CountAsync(other, queue) == 0, "the others are done with");
            await acknowledgements.SendAsync();
            // A quorum queue that loses a channel may not have all that came by it.
            await Wait.UntilAsync(async () => await UnacknowledgedAsync(queue) == inWork.Length, "it has the others' acknowledgements");
            Assert.True(channel.IsOpen, $"{channel.CloseReason}");
        }
        var left = new List<string>();
        await Wait.UntilAsync(async () =>
        {
            if (await other.BasicGetAsync(queue, autoAck: true, Wait.Token) is { } message) left.Add(Encoding.UTF8.GetString(message.Body.Span));
            return left.Count >= inWork.Length;
        }, "those in work are the broker's again");
        Assert.Equal(inWork, left.OrderBy(int.Parse));
        Assert.Equal(0u, await CountAsync(other, queue));
    }

    [Fact]
    public async Task a_process_that_stops_leaves_none_of_those_that_it_has_handled()
    {
        await Task.WhenAll(Enumerable.Range(0, 5).Select(async n =>
        {
            var id = Guid.CreateVersion7();
            Assert.NotNull(await _system.Commands.AskAsync<Verdict>(Topology.Accounts, new SignUp(id, "Ada", $"{id}@example.org", "$argon2id$v=19$", "en", DateTimeOffset.UtcNow), id, TimeSpan.FromSeconds(30), Wait.Token));
        }));
        await _system["Accounts"].StopAsync();
        await using var channel = await _system.Broker.OpenChannelAsync(Wait.Token);
        await Wait.UntilAsync(async () => (await channel.QueueDeclarePassiveAsync(Topology.Accounts, Wait.Token)).ConsumerCount == 0, "it is gone");
        Assert.Equal(0u, await CountAsync(channel, Topology.Accounts));
    }

    private async Task<long?> UnacknowledgedAsync(string queue)
    {
        using var management = _system.Parts.ManagementClient();
        var state = await management.GetFromJsonAsync<JsonElement>($"api/queues/{_system.Parts.VirtualHost}/{queue}", Wait.Token);
        return state.TryGetProperty("messages_unacknowledged", out var count) ? count.GetInt64() : null;
    }

    private static async Task<uint> CountAsync(IChannel channel, string queue) => (await channel.QueueDeclarePassiveAsync(queue, Wait.Token)).MessageCount;
}
