using System.Text.Json;
using Marten;
using RabbitMQ.Client;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Hosting.RabbitMq;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Mail;

/// <summary>The endpoint Mail as a process, with the test in the place of all others: it appends to the log and publishes events.</summary>
public sealed class MailProcess : IAsyncDisposable
{
    private readonly DocumentStore _log;
    private readonly Wire _wire = new(new EndpointIdentity("test"));
    private readonly SemaphoreSlim _publishing = new(1, 1);
    private IChannel? _channel;

    private MailProcess(SignupSystem system)
    {
        System = system;
        _log = DocumentStore.For(options => LogStore.Configure(options, system.Database));
    }

    public SignupSystem System { get; }
    public SignupProcess Process => System["Mail"];

    /// <param name="name">Lower-case letters.</param>
    /// <param name="smtp">Where its mails go; null: to files.</param>
    public static async Task<MailProcess> StartAsync(string name, SmtpServer? smtp = null, Dictionary<string, string>? settings = null)
    {
        var all = new Dictionary<string, string>(smtp?.Settings ?? []) { ["Signup__PublicUrl"] = "https://signup.example" };
        foreach (var (key, value) in settings ?? []) all[key] = value;
        return new MailProcess(await SignupSystem.StartAsync(name, all, "Mail"));
    }

    public async Task<Guid> SignUpAsync(string email, string username = "Ada", string language = "en") => (await SignUpAsync([email], username, language))[0];

    /// <summary>What Uniqueness does at the end of a sign-up: the event is in the log, and everyone is told.</summary>
    /// <param name="tell">False: the messages are lost.</param>
    public async Task<Guid[]> SignUpAsync(IReadOnlyList<string> emails, string username = "Ada", string language = "en", bool tell = true)
    {
        var now = DateTimeOffset.UtcNow;
        var ids = emails.Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var chunk in Enumerable.Range(0, ids.Length).Chunk(500))
        {
            await using var session = _log.LightweightSession();
            foreach (var i in chunk) session.Events.StartStream(ids[i], new Stored.AccountCreated(username, emails[i], "$argon2id$v=19$…", language, now));
            await session.SaveChangesAsync();
        }
        if (tell) await Task.WhenAll(ids.Select((id, i) => PublishAsync(new Messages.Accounts.AccountCreated(id, 1, username, emails[i], language, now))));
        return ids;
    }

    public Task PublishAsync(object message) => ToExchangeAsync(Topology.ExchangeOf(message.GetType()), message, "Publish");

    public Task SendAsync(object command) => ToExchangeAsync(Topology.Mail, command, "Send");

    /// <summary>The account's events, in order.</summary>
    public async Task<object[]> LogAsync(Guid accountId)
    {
        await using var session = _log.QuerySession();
        return [.. (await session.Events.FetchStreamAsync(accountId)).Select(e => e.Data)];
    }

    /// <summary>How many events of that kind the log holds.</summary>
    public async Task<long> CountAsync<T>()
    {
        await using var command = System.Database.CreateCommand($"select count(*) from log.mt_events where type = '{typeof(T).Name}'");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Returns when all that is in the log by now is known to Mail.</summary>
    public async Task ReachesEndOfLogAsync()
    {
        await using var end = System.Database.CreateCommand("select max(seq_id) from log.mt_events");
        await using var reached = System.Database.CreateCommand($"select position >= {await end.ExecuteScalarAsync()} from mail.checkpoint");
        await Wait.UntilAsync(async () => await reached.ExecuteScalarAsync() is true, "Mail has come to the end of the log");
    }

    /// <summary>How many pending accounts stand so.</summary>
    public async Task<long> CountAsync(string status)
    {
        await using var command = System.Database.CreateCommand("select count(*) from mail.activation where status = @status");
        command.Parameters.AddWithValue("status", status);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>How many mails processes have taken to send.</summary>
    public async Task<long> TakenAsync()
    {
        await using var command = System.Database.CreateCommand("select count(*) from mail.activation where taken_by is not null");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>What another endpoint does, at the same time.</summary>
    public async Task AppendAsync(Guid accountId, object @event)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var session = _log.LightweightSession();
                session.Events.Append(accountId, @event);
                await session.SaveChangesAsync();
                return;
            }
            catch (Exception e) when (attempt < 20 && e is JasperFx.Events.EventStreamUnexpectedMaxEventIdException or Marten.Exceptions.MartenCommandException)
            {
                // Mail was first.
            }
        }
    }

    /// <summary>What <c>/health/ready</c> tells of the mail provider.</summary>
    public async Task<JsonElement> ProviderHealthAsync()
    {
        using var http = System.Client("Mail");
        using var response = await http.GetAsync("/health/ready");
        Assert.True(response.IsSuccessStatusCode);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("checks").GetProperty("mail-provider");
    }

    public Task BreakerIsAsync(string state) => Wait.UntilAsync(
        async () => (await ProviderHealthAsync()).GetProperty("data").GetProperty("breaker").GetString() == state, $"the breaker is {state}");

    /// <summary>Returns when no mail is on its way, nor taken to be sent. One that was decided not to be sent before will not be.</summary>
    public Task HasNothingInHandAsync() => Wait.UntilAsync(async () => await TakenAsync() == 0, "no mail is on its way");

    /// <summary>How many messages are in one of the broker's queues.</summary>
    public async Task<uint> QueueLengthAsync(string queue)
    {
        await using var channel = await System.Broker.OpenChannelAsync(Wait.Token);
        return await channel.MessageCountAsync(queue);
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null) await _channel.DisposeAsync();
        await System.DisposeAsync();
        await _log.DisposeAsync();
        _publishing.Dispose();
    }

    private async Task ToExchangeAsync(string exchange, object message, string intent)
    {
        var id = Guid.CreateVersion7();
        var properties = _wire.Describe(message.GetType(), id, intent, null, id.ToString());
        var body = JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), Wire.Json);
        await _publishing.WaitAsync(Wait.Token);
        ValueTask confirmed;
        try
        {
            _channel ??= await System.Broker.OpenConfirmingChannelAsync(Wait.Token);
            confirmed = _channel.BasicPublishAsync(exchange, "", mandatory: intent == "Send", properties, body, Wait.Token);
        }
        finally
        {
            _publishing.Release();
        }
        await confirmed;
    }
}

/// <summary>Mail with its usual settings and a provider, for the tests of one class.</summary>
public sealed class MailAndProvider : IAsyncLifetime
{
    public SmtpServer Smtp { get; } = new();
    public MailProcess Mail { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Mail = await MailProcess.StartAsync($"mailshared{Guid.NewGuid():N}"[..18], Smtp.Start());

    /// <summary>What the provider took for this account, in order.</summary>
    public IReadOnlyList<ReceivedMail> MailsOf(Guid accountId) => [.. Smtp.Mails.Where(m => m.MessageId.Contains($"{accountId}", StringComparison.Ordinal))];

    /// <summary>Returns when the account's stream holds so many events.</summary>
    public Task LogReachesAsync(Guid accountId, int events) =>
        Wait.UntilAsync(async () => (await Mail.LogAsync(accountId)).Length >= events, $"the account's stream holds {events} events");

    public async ValueTask DisposeAsync()
    {
        if (Mail is not null) await Mail.DisposeAsync();
        await Smtp.DisposeAsync();
    }
}
