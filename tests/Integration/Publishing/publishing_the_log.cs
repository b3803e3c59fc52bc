using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.EventLog.Operations;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Hosting.RabbitMq;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Publishing;

public sealed class publishing_the_log : IAsyncLifetime
{
    private const string Subscriber = "subscriber";

    /// <summary>The body of a row of wolverine_outgoing_envelopes, as Wolverine 6.62 wrote it, of an AccountCreated for the account 00000000-….</summary>
    private const string LeftInAnOutbox =
            "eSzUP45M30gDAAAADG1lc3NhZ2UtdHlwZSdTaWdudXAuTWVzc2FnZXMuQWNjb3VudHMuQWNjb3VudENyZWF0ZWQWYWNjZXB0ZWQtY29udGVudC10eXBlcxBhcHBsaWNhdGlvbi9qc29u" +
            "AmlkJDAxOWFjMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMaYAAAB7IkFjY291bnRJZCI6IjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMCIsIlZlcnNpb24i" +
            "OjEsIlVzZXJuYW1lIjoiWm9cdTAwRUIiLCJFbWFpbCI6InpAZXhhbXBsZS5vcmciLCJMYW5ndWFnZSI6ImVuIiwiQ3JlYXRlZEF0IjoiMjAyNi0xMS0yNFQxMDowMDowMCswMDowMCJ9";

    private static readonly DateTimeOffset At = new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero);

    private LogDatabase _log = null!;
    private Broker _broker = null!;
    private IChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _log = await LogDatabase.CreateAsync("publishing");
        await _log.Parts.JoinBrokerAsync();
        _broker = new Broker(BrokerNodes.Of(_log.Parts.RabbitMq), new EndpointIdentity("test"));
        _channel = await _broker.OpenChannelAsync(Wait.Token);
        await Partner.SubscribeAsync(_channel, Subscriber);
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _log.Parts.LeaveBrokerAsync();
        await _log.DisposeAsync();
    }

    [Fact]
    public async Task tells_of_every_event_in_the_logs_order_under_its_own_id()
    {
        var before = await AppendManyAsync();
        await using var publisher = await PublishAsync();
        // Also while it is at it.
        await AppendManyAsync();
        var log = await _log.ReadAllAsync();
        Assert.True(before > 100 && log.Count > before);

        var heard = await HearAsync(log.Count);
        Assert.Equal(log.Select(e => e.EventId.ToString()), heard.Select(m => m.Id));
        Assert.Equal(log.Select(e => EventTypes.Find(e.Type)!.Message.FullName), heard.Select(m => m.Type));
    }

    [Fact]
    public async Task says_what_the_event_says_but_no_secret()
    {
        var id = Guid.NewGuid();
        await _log.AppendAsync(id, LogDatabase.Created("ada@example.org", "Ada"));
        await using var publisher = await PublishAsync();
        var message = JsonSerializer.Deserialize<Messages.Accounts.AccountCreated>((await HearAsync(1))[0].Body, Wire.Json);
        Assert.Equal(new Messages.Accounts.AccountCreated(id, 1, "Ada", "ada@example.org", "en", new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero)), message);
    }

    [Fact]
    public async Task by_many_at_once_tells_of_each_event_once()
    {
        await using var one = await PublishAsync();
        await using var other = await PublishAsync();
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async n =>
        {
            await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created($"{n}@example.org"));
            (n % 2 == 0 ? one : other).Signal();
        }));
        var heard = await HearAsync(100);
        Assert.Equal((await _log.ReadAllAsync()).Select(e => e.EventId.ToString()), heard.Select(m => m.Id));
    }

    [Fact]
    public async Task waits_for_a_newer_version_at_a_kind_that_it_does_not_know_and_passes_what_no_version_could_read()
    {
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("a@example.org"));
        await using (var connection = await _log.Database.OpenConnectionAsync())
        {
            await LogDatabase.AppendAsync(connection, Guid.NewGuid(), ("AccountActivated", """{"activatedAt":"soon"}"""));
            await LogDatabase.AppendAsync(connection, Guid.NewGuid(), ("tombstone", "{}"));
            await LogDatabase.AppendAsync(connection, Guid.NewGuid(), ("NotOfThisVersion", "{}"));
        }
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("b@example.org"));
        await using var publisher = await PublishAsync();
        await Wait.UntilAsync(async () => await PositionAsync() == 3, "what came before is published");
        await HearAsync(1);
        using (var check = publisher.Check())
            await Wait.UntilAsync(async () => await check.CheckHealthAsync(new(), Wait.Token) is { Status: HealthStatus.Unhealthy, Description: { } why } && why.Contains("NotOfThisVersion at position 4", StringComparison.Ordinal), "it says which event");

        await _log.Database.TamperAsync("update log.mt_events set type = 'AccountActivated', data = '{\"activatedAt\": \"2026-11-24T10:00:00Z\"}' where type = 'NotOfThisVersion'");
        await Wait.UntilAsync(async () => await PositionAsync() == (await _log.ReadAllAsync())[^1].Position, "it goes on");
        await HearAsync(2);
        Assert.Equal(0u, await _channel.MessageCountAsync(Subscriber));
    }

    [Fact]
    public async Task gives_a_broker_that_has_lost_its_data_back_what_is_published_to()
    {
        await using var publisher = await PublishAsync();
        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("a@example.org"));
        publisher.Signal();
        await HearAsync(1);
        foreach (var type in EventTypes.All) await _channel.ExchangeDeleteAsync(Topology.ExchangeOf(type.Message));

        await _log.AppendAsync(Guid.NewGuid(), LogDatabase.Created("b@example.org"));
        publisher.Signal();
        await Wait.UntilAsync(async () => await PositionAsync() == (await _log.ReadAllAsync())[^1].Position, "it goes on");
        foreach (var type in EventTypes.All) await _channel.ExchangeDeclarePassiveAsync(Topology.ExchangeOf(type.Message));
    }

    [Fact]
    public async Task goes_on_behind_what_an_earlier_version_has_told_with_what_that_had_left_in_its_outbox()
    {
        var accounts = Enumerable.Range(0, 5).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var id in accounts) await _log.AppendAsync(id, LogDatabase.Created($"{id}@example.org"));
        await _log.AppendAsync(accounts[0], new AccountActivated(At));
        // It had not sent what tells of the fourth account.
        var left = Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(Convert.FromBase64String(LeftInAnOutbox)).Replace($"{Guid.Empty}", $"{accounts[3]}", StringComparison.Ordinal));
        await _log.ExecuteAsync($"""
            create schema accounts; create table accounts.wolverine_outgoing_envelopes (id uuid, body bytea);
            create schema uniqueness; create table uniqueness.wolverine_outgoing_envelopes (id uuid, body bytea);
            insert into uniqueness.wolverine_outgoing_envelopes values (gen_random_uuid(), '\x{Convert.ToHexString(left)}');
            create schema mail; create table mail.published (position bigint); insert into mail.published select max(seq_id) from log.mt_events;
            """);

        await using var publisher = await PublishAsync();
        var log = await _log.ReadAllAsync();
        Assert.Equal(log.Skip(3).Select(e => e.EventId.ToString()), (await HearAsync(3)).Select(m => m.Id));
    }

    [Fact]
    public async Task tells_of_30_000_events_within_a_minute()
    {
        await using (var connection = await _log.Database.OpenConnectionAsync())
            await Appending.AppendAsync(connection, [.. Enumerable.Range(0, 30_001).Select(n => NewEvent.Of(Guid.NewGuid(), 0, LogDatabase.Created($"{n}@example.org"), Cause.None))], Wait.Token);
        await using var publisher = await PublishAsync();
        await Wait.UntilAsync(async () => await PositionAsync() >= 30_001, "all are published");
        Assert.Equal(30_001u, await _channel.MessageCountAsync(Subscriber));
    }

    /// <summary>As the processes do it, until it is disposed.</summary>
    private async Task<Publishing> PublishAsync()
    {
        var publisher = new EventPublisher(_log.Database, _broker, new Wire(new EndpointIdentity("test")), NullLogger<EventPublisher>.Instance);
        var follower = new LogFollower<EventPublisher>(publisher, _log.Database, new LogReader(_log.Database), publisher.WakeUp, NullLogger<LogFollower<EventPublisher>>.Instance);
        // Its token would end the following, too, not the start alone.
        await follower.StartAsync(CancellationToken.None);
        return new Publishing(publisher, follower);
    }

    private async Task<int> AppendManyAsync()
    {
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async n =>
        {
            var (account, failure) = (Guid.NewGuid(), Guid.NewGuid());
            await _log.AppendAsync(account, LogDatabase.Created($"{account}@example.org"));
            await _log.AppendAsync(account, new ActivationMailSent("activation", At), new AccountActivated(At));
            await _log.AppendAsync(failure, new MessageRetried(failure, Guid.NewGuid(), "SignUp", "accounts", "ada", At));
        }));
        return (await _log.ReadAllAsync()).Count;
    }

    private Task<long> PositionAsync() => _log.ScalarAsync<long>("select position from publisher.checkpoint");

    /// <summary>So many messages, in the order in which they came.</summary>
    private async Task<IReadOnlyList<(string? Id, string? Type, string Body)>> HearAsync(int count)
    {
        var heard = new List<(string?, string?, string)>();
        await Wait.UntilAsync(async () =>
        {
            while (heard.Count < count && await _channel.BasicGetAsync(Subscriber, autoAck: true) is { } message)
                heard.Add((message.BasicProperties.MessageId, message.BasicProperties.Type, Encoding.UTF8.GetString(message.Body.Span)));
            return heard.Count == count;
        }, $"{count} messages came");
        return heard;
    }

    private sealed class Publishing(EventPublisher publisher, LogFollower<EventPublisher> follower) : IAsyncDisposable
    {
        public ProjectionLag<EventPublisher> Check() => new(follower, publisher, new EndpointIdentity("test"));

        public void Signal() => publisher.WakeUp.Signal();

        public async ValueTask DisposeAsync()
        {
            await follower.StopAsync(CancellationToken.None);
            follower.Dispose();
            await publisher.DisposeAsync();
        }
    }
}
