using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Signup.Hosting;
using Signup.Hosting.Calls;
using Signup.Hosting.RabbitMq;

namespace Signup.Tests.Integration.Publishing;

/// <summary>What needs no cluster to be seen; the rest is in tests/Cluster.</summary>
public sealed class connecting_to_a_broker : IAsyncLifetime
{
    private static readonly EndpointIdentity Self = new("test");

    private Parts _parts = null!;

    public async ValueTask InitializeAsync()
    {
        _parts = await Parts.CreateAsync("connecting");
        await _parts.JoinBrokerAsync();
    }

    public async ValueTask DisposeAsync() => await _parts.LeaveBrokerAsync();

    [Fact]
    public async Task a_node_that_is_not_there_is_passed_by()
    {
        var away = new Uri(SignupProcess.FreeUrl()).Port;
        // In any order, so that it cannot be luck.
        for (var i = 0; i < 5; i++)
        {
            await using var broker = new Broker(BrokerNodes.Of(_parts.RabbitMq.Replace("@", $"@127.0.0.1:{away},", StringComparison.Ordinal)), Self);
            await using var channel = await broker.OpenChannelAsync(Wait.Token);
            Assert.True(channel.IsOpen);
        }
    }

    [Fact]
    public async Task where_none_is_there_the_one_who_asks_is_told()
    {
        await using var broker = new Broker(BrokerNodes.Of($"amqp://{new Uri(SignupProcess.FreeUrl()).Authority},{new Uri(SignupProcess.FreeUrl()).Authority}/"), Self);
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => broker.OpenChannelAsync(Wait.Token));
    }

    [Fact]
    public async Task a_node_that_one_connection_has_lost_is_left_by_the_others_of_the_process()
    {
        using var relay = new Relay(Hosts.Of(_parts.RabbitMq)[0]);
        var nodes = new BrokerNodes([relay.Uri]);
        await using Broker lost = new(nodes, Self), other = new(nodes, Self), anothers = new(new BrokerNodes([relay.Uri]), Self);
        foreach (var broker in new[] { lost, other, anothers }) await (await broker.OpenChannelAsync(Wait.Token)).DisposeAsync();

        relay.CutFirst();

        await Wait.UntilAsync(() => Task.FromResult(!lost.IsConnected && !other.IsConnected), "both are gone");
        Assert.True(anothers.IsConnected);
        await using var again = await other.OpenChannelAsync(Wait.Token);
        Assert.True(again.IsOpen);
    }

    [Fact]
    public async Task a_channel_on_which_a_message_was_refused_is_not_used_again()
    {
        await using var broker = new Broker(BrokerNodes.Of(_parts.RabbitMq), Self);
        await using var channel = await broker.OpenConfirmingChannelAsync(Wait.Token);
        await channel.QueueDeclareAsync("full", durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "classic", ["x-max-length"] = 0, ["x-overflow"] = "reject-publish" }, cancellationToken: Wait.Token);
        await Assert.ThrowsAsync<PublishException>(async () => await channel.BasicPublishAsync("", "full", mandatory: true, new BasicProperties(), ReadOnlyMemory<byte>.Empty, Wait.Token));
        await Wait.UntilAsync(() => Task.FromResult(!channel.IsOpen), "the channel is closed");
        Assert.True(broker.IsConnected);
    }

    /// <summary>Passes on what goes to the broker and comes from it.</summary>
    private sealed class Relay : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly ConcurrentQueue<TcpClient> _clients = new();

        public Relay(Uri broker)
        {
            _listener.Start();
            Uri = new UriBuilder(broker) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;
            _ = AcceptAsync(broker);
        }

        public Uri Uri { get; }

        public void CutFirst()
        {
            if (_clients.TryDequeue(out var first)) first.Close();
        }

        public void Dispose()
        {
            _listener.Stop();
            foreach (var client in _clients) client.Dispose();
        }

        private async Task AcceptAsync(Uri broker)
        {
            try
            {
                while (await _listener.AcceptTcpClientAsync() is { } client)
                {
                    _clients.Enqueue(client);
                    var server = new TcpClient();
                    await server.ConnectAsync(broker.Host, broker.Port);
                    var (here, there) = (client.GetStream(), server.GetStream());
                    _ = here.CopyToAsync(there).ContinueWith(_ => server.Close(), TaskScheduler.Default);
                    _ = there.CopyToAsync(here).ContinueWith(_ => client.Close(), TaskScheduler.Default);
                }
            }
            catch (SocketException)
            {
                // It is over.
            }
        }
    }
}
