using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Signup.EventLog;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;

namespace Signup.Tests.Integration.Operations;

/// <summary>The endpoints that decide a sign-up, under the eyes of a ServiceControl, and with a partner that has an NServiceBus endpoint.</summary>
public sealed class OperatedSystem : IAsyncLifetime
{
    public SignupSystem System { get; private set; } = null!;
    public FakeServiceControl ServiceControl { get; private set; } = null!;
    public IChannel Channel { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        System = await SignupSystem.StartAsync("operated", null, "Accounts", "Uniqueness");
        ServiceControl = new FakeServiceControl(System.Broker);
        await ServiceControl.StartAsync();
        Channel = await System.Broker.OpenConfirmingChannelAsync(Wait.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await ServiceControl.DisposeAsync();
        await System.DisposeAsync();
    }

    /// <summary>Sends bytes to an address, as any sender could.</summary>
    public async Task SendAsync(string address, BasicProperties properties, ReadOnlyMemory<byte> body) =>
        await Channel.BasicPublishAsync(address, routingKey: "", mandatory: true, properties, body, Wait.Token);

    /// <summary>Properties as an NServiceBus endpoint writes them.</summary>
    public static BasicProperties AsNServiceBus(Type message, string messageId, string? replyTo = null)
    {
        var headers = new Dictionary<string, object?>
        {
            [WireHeaders.MessageId] = messageId,
            [WireHeaders.EnclosedMessageTypes] = message.AssemblyQualifiedName,
            [WireHeaders.MessageIntent] = "Send",
            [WireHeaders.CorrelationId] = messageId,
            [WireHeaders.ConversationId] = "fcb3cb99-831c-4577-b771-b50b00d42b96",
            [WireHeaders.ContentType] = WireHeaders.Json,
            [WireHeaders.TimeSent] = Wire.Date(DateTimeOffset.UtcNow),
            [WireHeaders.OriginatingEndpoint] = "partner",
            [WireHeaders.OriginatingMachine] = "elsewhere",
            [WireHeaders.OriginatingHostId] = "8a7883588eddc4909f88818ddfe2a5ca",
            ["NServiceBus.OpenTelemetry.StartNewTrace"] = "False",
        };
        if (replyTo is not null) headers[WireHeaders.ReplyToAddress] = replyTo;
        return new BasicProperties
        {
            MessageId = messageId, CorrelationId = messageId, ReplyTo = replyTo, Type = message.FullName, ContentType = WireHeaders.Json, Persistent = true, Headers = headers,
        };
    }

    public static SignUp NewSignUp() => new(Guid.CreateVersion7(), "ada", $"{Guid.NewGuid():N}@example.org", "$argon2id$test", "en", DateTimeOffset.UtcNow);

    public static byte[] Body(object message) => JsonSerializer.SerializeToUtf8Bytes(message, message.GetType());

    /// <summary>A bug in a deployment: while the scope lasts, Uniqueness cannot do its work.</summary>
    public async Task<IAsyncDisposable> BreakUniquenessAsync()
    {
        await ExecuteAsync("alter table uniqueness.claims rename to mislaid");
        return new Undo(() => ExecuteAsync("alter table if exists uniqueness.mislaid rename to claims"));
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = System.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>How many events the account has.</summary>
    public async Task<long> EventsOfAsync(Guid accountId)
    {
        await using var command = System.Database.CreateCommand($"select count(*) from {LogStore.Schema}.mt_events where stream_id = $1");
        command.Parameters.AddWithValue(accountId);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>A queue of somebody else's, made as an NServiceBus endpoint makes its own; what arrives is handed over one by one.</summary>
    public async Task<Inbox> PartnerAsync(string name, params Type[] subscribed)
    {
        var channel = await System.Broker.OpenConfirmingChannelAsync(Wait.Token);
        await Topology.DeclareQueueAsync(channel, name, Wait.Token);
        foreach (var e in subscribed)
        {
            await channel.ExchangeDeclareAsync(Topology.ExchangeOf(e), ExchangeType.Fanout, durable: true);
            await channel.ExchangeBindAsync(name, Topology.ExchangeOf(e), routingKey: "");
        }
        return new Inbox(channel, name);
    }

    private sealed class Undo(Func<Task> undo) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await undo();
    }
}

/// <summary>A queue that a test reads.</summary>
public sealed class Inbox(IChannel channel, string queue) : IAsyncDisposable
{
    /// <summary>The next message, within the deadline.</summary>
    public Task<Failure> NextAsync() => Wait.ForAsync<Failure>(async () => await channel.BasicGetAsync(queue, autoAck: true) is { } got
        ? new Failure(new BasicProperties(got.BasicProperties), (got.BasicProperties.Headers ?? new Dictionary<string, object?>()).ToDictionary(h => h.Key, h => h.Value is byte[] b ? Encoding.UTF8.GetString(b) : $"{h.Value}"), got.Body.ToArray())
        : null, $"a message in {queue}");

    /// <summary>The event of that account. Others, of other tests, may come late: a sign-up that rests is tried again some seconds later.</summary>
    public async Task<Failure> EventOfAsync(Guid accountId)
    {
        while (true)
            if (await NextAsync() is var told && JsonSerializer.Deserialize<AccountCreated>(told.Body)!.AccountId == accountId) return told;
    }

    public ValueTask DisposeAsync() => channel.DisposeAsync();
}

[CollectionDefinition("operated system")]
public sealed class OperatedSystemTests : ICollectionFixture<OperatedSystem>;
