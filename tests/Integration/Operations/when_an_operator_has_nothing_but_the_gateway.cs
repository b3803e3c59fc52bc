using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using RabbitMQ.Client;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;

namespace Signup.Tests.Integration.Operations;

/// <summary>A system with an <c>/ops</c> page and no ServiceControl.</summary>
public sealed partial class when_an_operator_has_nothing_but_the_gateway : IAsyncLifetime
{
    private static readonly Dictionary<string, string> Keys = new() { ["ada"] = "a-long-and-random-key", ["grace"] = "one-more-long-and-random-key" };

    private readonly string _operators = SignupProcess.FreeUrl();

    private SignupSystem _system = null!;
    private IChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _system = await SignupSystem.StartAsync("ops", new Dictionary<string, string> { ["Query__Url"] = "http://127.0.0.1:9" }, "Accounts", "Uniqueness");
        var gateway = _system.Add("Gateway");
        gateway.Set("Ops__Url", _operators);
        foreach (var (name, key) in Keys) gateway.Set($"Ops__Keys__{name}", key);
        gateway.Set("RabbitMq__ManagementUrl", _system.Parts.Management);
        foreach (var name in new[] { "Accounts", "Uniqueness" }) gateway.Set($"{name}__Url", _system[name].Url);
        gateway.Set("Accounts__Url", $"{_system["Accounts"].Url},127.0.0.1:9");
        await gateway.StartAsync();
        _channel = await _system.Broker.OpenConfirmingChannelAsync(Wait.Token);
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task nobody_sees_anything_without_a_key_and_the_public_address_knows_no_such_page()
    {
        await FailAsync("secret@example.org");
        using var stranger = Browser();
        var page = await stranger.GetAsync("/ops");
        Assert.Equal(HttpStatusCode.Unauthorized, page.StatusCode);
        Assert.DoesNotContain("SignUp", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SignInAsync(stranger, "a-guess")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync($"/ops/messages/{Guid.NewGuid()}")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsync("/ops/retry-all", new FormUrlEncodedContent([]))).StatusCode);
        stranger.DefaultRequestHeaders.Add("Cookie", "operator=NDEwMDAwMDAwMApyb290.AAAA");
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync("/ops")).StatusCode);

        // What operators have to themselves: the public address has none of it, whatever host a client names; theirs has nothing else.
        using var open = new HttpClient { BaseAddress = new Uri(_system.GatewayUrl) };
        open.DefaultRequestHeaders.Host = new Uri(_operators).Authority;
        foreach (var (method, path) in new[] { (HttpMethod.Get, "/ops"), (HttpMethod.Get, "/OPS"), (HttpMethod.Head, "/ops"), (HttpMethod.Delete, "/ops"), (HttpMethod.Get, $"/ops/messages/{Guid.NewGuid()}"), (HttpMethod.Post, "/ops/sign-in"), (HttpMethod.Post, "/ops/retry-all") })
            Assert.Equal((path, HttpStatusCode.NotFound), (path, (await open.SendAsync(new HttpRequestMessage(method, path))).StatusCode));
        foreach (var path in new[] { "/users", "/activate", "/dev/inbox", $"/users/{Guid.NewGuid()}" })
            Assert.Equal((path, HttpStatusCode.NotFound), (path, (await stranger.GetAsync(path)).StatusCode));
        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync("/health/live")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await open.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task the_page_shows_processes_queues_and_what_failed_without_what_people_typed()
    {
        var id = await FailAsync("grace.hopper@example.org");
        using var operators = await SignedInAsync();
        var page = await Wait.ForAsync(async () =>
        {
            var text = await operators.GetStringAsync("/ops");
            // RabbitMQ counts every five seconds.
            return text.Contains(">SignUp<", StringComparison.Ordinal) && text.Contains("in queue", StringComparison.Ordinal) ? text : null;
        }, "the failed message and the queues are on the page");
        // Each instance, but the queue once.
        foreach (var (state, at, takers) in new[] { ("well", new Uri(_system["Accounts"].Url).Authority, 1), ("does not answer", "127.0.0.1:9", 0) })
            Assert.Equal(takers, Regex.Count(Assert.Single(page.Split("<li class=\"ops-part"), part => Regex.IsMatch(part, $"(?s)Accounts <span[^>]*>{state}<.*; at {at}<")), ">takers<"));
        Assert.Contains("event-log", page, StringComparison.Ordinal);
        Assert.Contains("NullReferenceException", page, StringComparison.Ordinal);

        var link = MessageLink().Match(page).Value;
        var message = await operators.GetStringAsync(link);
        Assert.Contains(id, message, StringComparison.Ordinal);
        Assert.Contains("SignUpHandler", message, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?i)grace|hopper", page + message);

        // What died is seen, too.
        await _system["Uniqueness"].KillAsync();
        await Wait.UntilAsync(async () => Regex.IsMatch(await operators.GetStringAsync("/ops"), "(?s)Uniqueness <span[^>]*>does not answer<"), "the page says that it is away");

        // Looking takes nothing out, even if the gateway dies over it.
        await _system["Gateway"].KillAsync();
        await Wait.UntilAsync(async () => (await _channel.QueueDeclarePassiveAsync("error")).MessageCount == 1, "the message is in its queue");
    }

    [Fact]
    public async Task a_retry_sends_it_to_its_queue_again_and_the_log_says_who_did_it()
    {
        var command = OperatedSystem.NewSignUp();
        await ExecuteAsync("alter table uniqueness.claims rename to mislaid");
        await _channel.BasicPublishAsync("accounts", "", mandatory: true, OperatedSystem.AsNServiceBus(typeof(SignUp), command.AccountId.ToString()), OperatedSystem.Body(command));
        using var operators = await SignedInAsync("ada");
        var link = await LinkAsync(operators, ">ProposeEvent<");
        await ExecuteAsync("alter table uniqueness.mislaid rename to claims");

        Assert.Equal(HttpStatusCode.OK, (await PostAsync(operators, link, link + "/retry")).StatusCode);

        await Wait.UntilAsync(async () => await CountAsync("select count(*) from log.mt_events where type = 'AccountCreated' and stream_id = $1", command.AccountId) == 1, "it was handled");
        await Wait.UntilAsync(async () => await CountAsync("select count(*) from log.mt_events where type = 'MessageRetried' and data->>'by' = $1 and data->>'queue' = 'uniqueness' and headers->>'actor' = 'operator:ada'", "ada") == 1, "the fact is in the log");
        Assert.Contains("The queue error is empty", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task a_message_is_discarded_from_the_page_only_and_with_a_reason_which_the_log_keeps()
    {
        await FailAsync("someone@example.org");
        using var operators = await SignedInAsync("grace");
        var link = await LinkAsync(operators, ">SignUp<");
        // Another site sends the operator's cookie along, and cannot know the form's token.
        var forged = await operators.PostAsync(link + "/discard", new FormUrlEncodedContent([new("reason", "forged")]));
        Assert.Contains("too old", await forged.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        Assert.Contains("Say why", await (await PostAsync(operators, link, link + "/discard", ("reason", "  "))).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains(">SignUp<", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);

        await PostAsync(operators, link, link + "/discard", ("reason", "sent by a test"));
        Assert.Contains("The queue error is empty", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);
        await Wait.UntilAsync(async () => await CountAsync("select count(*) from log.mt_events where type = 'MessageDiscarded' and data->>'by' = $1 and data->>'reason' = 'sent by a test'", "grace") == 1, "the fact is in the log");
    }

    [Fact]
    public async Task while_somebody_else_reads_the_queue_the_page_counts_and_says_whose_it_is_and_takes_nothing()
    {
        await using var other = await Reader.StartAsync(_system.Parts, "Particular.ServiceControl");
        using var operators = await SignedInAsync();
        foreach (var _ in Enumerable.Range(0, 6))
        {
            await SendAsync("zoe@example.org");
            Assert.DoesNotContain(">SignUp<", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);
        }
        await Wait.UntilAsync(() => Task.FromResult(other.Got == 6), "all of it reaches whom the queue belongs to");

        var page = await Wait.ForAsync(async () => await operators.GetStringAsync("/ops") is var text && text.Contains("Messages in the queue error: 6", StringComparison.Ordinal)
            && text.Contains("read by <strong>Particular.ServiceControl</strong>", StringComparison.Ordinal) ? text : null, "RabbitMQ has counted, and knows who reads");
        Assert.DoesNotMatch("All is well|The queue error is empty|Retry all", page);
        Assert.Contains("Somebody else takes from the queue", await operators.GetStringAsync($"/ops/messages/{Guid.NewGuid()}"), StringComparison.Ordinal);

        // It is the operators' again when the other has left.
        await other.DisposeAsync();
        Assert.NotNull(await LinkAsync(operators, "Failed messages: 6"));
    }

    [Fact]
    public async Task what_the_page_holds_goes_to_whoever_joins_also_while_nobody_looks()
    {
        foreach (var _ in Enumerable.Range(0, 4)) await SendAsync("zoe@example.org");
        using var operators = await SignedInAsync();
        var link = await LinkAsync(operators, "Failed messages: 4");
        var token = await TokenAsync(operators, link);

        var joined = Stopwatch.GetTimestamp();
        await using var other = await Reader.StartAsync(_system.Parts, "Particular.ServiceControl");
        await Wait.UntilAsync(() => Task.FromResult(other.Got == 4), "all of it reaches who has joined");

        // Long before the page would have let go of it by itself.
        Assert.InRange(Stopwatch.GetElapsedTime(joined), TimeSpan.Zero, TimeSpan.FromSeconds(15));
        foreach (var act in new[] { link + "/retry", "/ops/retry-all" })
            Assert.Contains("Somebody else takes from the queue", await (await operators.PostAsync(act, new FormUrlEncodedContent([token]))).Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task acknowledgements_that_wait_for_ServiceControl_are_no_failures_and_stay()
    {
        // Of a message that has failed once more since: both are known by one id.
        var id = Guid.NewGuid();
        await SendAsync("zoe@example.org", (WireHeaders.RetryUniqueMessageId, id.ToString()));
        await _channel.BasicPublishAsync("error", "", mandatory: true, new BasicProperties
        {
            MessageId = Guid.NewGuid().ToString(),
            Headers = new Dictionary<string, object?> { [WireHeaders.RetrySuccessful] = Wire.Date(DateTimeOffset.UtcNow), [WireHeaders.RetryUniqueMessageId] = id.ToString(), [WireHeaders.ControlMessage] = "True" },
        }, ReadOnlyMemory<byte>.Empty);
        using var operators = await SignedInAsync();
        var link = await LinkAsync(operators, "Failed messages: 1");
        Assert.Contains("Besides, 1 of ServiceControl", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);

        await PostAsync(operators, link, link + "/discard", ("reason", "sent by a test"));

        Assert.Contains("Failed messages: 0", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);
        await _system["Gateway"].KillAsync();
        await Wait.UntilAsync(async () => (await _channel.QueueDeclarePassiveAsync("error")).MessageCount == 1, "the acknowledgement is there");
        Assert.True((await _channel.BasicGetAsync("error", autoAck: true))!.BasicProperties.Headers!.ContainsKey(WireHeaders.RetrySuccessful));
    }

    /// <summary>Somebody who takes from the queue error as anybody can, and acknowledges nothing, so that it can be seen what they have.</summary>
    private sealed class Reader(Broker broker) : IAsyncDisposable
    {
        private int _got;

        public int Got => Volatile.Read(ref _got);

        public static async Task<Reader> StartAsync(Parts parts, string name)
        {
            var broker = new Broker(BrokerNodes.Of(parts.RabbitMq), new Hosting.EndpointIdentity(name));
            var reader = new Reader(broker);
            var channel = await broker.OpenChannelAsync(Wait.Token);
            var consumer = new RabbitMQ.Client.Events.AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += (_, _) =>
            {
                Interlocked.Increment(ref reader._got);
                return Task.CompletedTask;
            };
            await channel.BasicConsumeAsync("error", autoAck: false, consumer, Wait.Token);
            return reader;
        }

        public ValueTask DisposeAsync() => broker.DisposeAsync();
    }

    /// <summary>A message that no handler can handle, of a sender with a bug.</summary>
    private async Task<string> FailAsync(string email)
    {
        var id = await SendAsync(email);
        await Wait.UntilAsync(async () => (await _channel.QueueDeclarePassiveAsync("error")).MessageCount > 0, "it is in error");
        return id;
    }

    private async Task<string> SendAsync(string email, params (string Name, string Value)[] headers)
    {
        var id = Guid.NewGuid().ToString();
        var properties = OperatedSystem.AsNServiceBus(typeof(SignUp), id);
        foreach (var (name, value) in headers) properties.Headers![name] = value;
        await _channel.BasicPublishAsync("accounts", "", mandatory: true, properties, OperatedSystem.Body(new { AccountId = Guid.NewGuid(), Username = email.Split('@')[0], Email = email }));
        return id;
    }

    private HttpClient Browser() => new(new HttpClientHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(_operators) };

    private async Task<HttpClient> SignedInAsync(string name = "ada")
    {
        var browser = Browser();
        Assert.Equal(HttpStatusCode.OK, (await SignInAsync(browser, Keys[name])).StatusCode);
        return browser;
    }

    private static async Task<HttpResponseMessage> SignInAsync(HttpClient browser, string key)
    {
        Assert.Contains("action=\"/ops/sign-in\"", await (await browser.GetAsync("/ops")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        return await browser.PostAsync("/ops/sign-in", new FormUrlEncodedContent([new("key", key)]));
    }

    /// <summary>Presses a button of a page.</summary>
    private static async Task<HttpResponseMessage> PostAsync(HttpClient browser, string page, string action, params (string Name, string Value)[] fields)
    {
        var token = await TokenAsync(browser, page);
        return await browser.PostAsync(action, new FormUrlEncodedContent([token, .. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))]));
    }

    private static async Task<KeyValuePair<string, string>> TokenAsync(HttpClient browser, string page) => new("formToken", FormToken().Match(await browser.GetStringAsync(page)).Groups[1].Value);

    private static Task<string> LinkAsync(HttpClient browser, string text) => Wait.ForAsync(async () =>
    {
        var page = await browser.GetStringAsync("/ops");
        return page.Contains(text, StringComparison.Ordinal) ? MessageLink().Match(page).Value : null;
    }, $"a message {text} on the page");

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _system.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<long> CountAsync(string sql, object parameter)
    {
        await using var command = _system.Database.CreateCommand(sql);
        command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = parameter });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    [GeneratedRegex("name=\"formToken\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();

    [GeneratedRegex("/ops/messages/[0-9a-f-]{36}")]
    private static partial Regex MessageLink();
}
