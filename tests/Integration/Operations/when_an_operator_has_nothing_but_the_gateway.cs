using System.Net;
using System.Text.RegularExpressions;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Signup.Messages.Accounts;
using Signup.Tests.Fixture;

namespace Signup.Tests.Integration.Operations;

/// <summary>A system with an <c>/ops</c> page and no ServiceControl.</summary>
public sealed partial class when_an_operator_has_nothing_but_the_gateway(when_an_operator_has_nothing_but_the_gateway.Running running)
    : IClassFixture<when_an_operator_has_nothing_but_the_gateway.Running>, IAsyncLifetime
{
    private const string Key = "a-long-and-random-key";

    private readonly SignupSystem _system = running.System;
    private IChannel _channel = null!;

    public sealed class Running : IAsyncLifetime
    {
        public SignupSystem System { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            System = await SignupSystem.StartAsync("ops", new Dictionary<string, string> { ["Query__Url"] = "http://127.0.0.1:9", ["Signup__ReplyTimeout"] = "00:01:00" }, "Accounts", "Uniqueness");
            var gateway = System.Add("Gateway");
            gateway.Set("Ops__ApiKey", Key);
            await gateway.StartAsync();
        }

        public ValueTask DisposeAsync() => System.DisposeAsync();
    }

    public async ValueTask InitializeAsync() => _channel = await _system.Broker.OpenConfirmingChannelAsync(CancellationToken.None);

    /// <summary>The next test finds the queue empty, and who died in this one alive.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var name in new[] { "Accounts", "Uniqueness", "Gateway" })
            if (!_system[name].IsRunning) await _system[name].StartAsync();
        using var operators = await SignedInAsync();
        await Wait.UntilAsync(async () =>
        {
            var page = await operators.GetStringAsync("/ops");
            foreach (var link in MessageLink().Matches(page).Select(m => m.Value).Distinct()) await operators.PressAsync(link, link + "/discard", ("reason", "the test is over"));
            return page.Contains("The queue error is empty", StringComparison.Ordinal);
        }, "nothing is left in error");
        await _channel.DisposeAsync();
    }

    [Fact]
    public async Task nobody_sees_anything_without_the_key_and_without_a_key_there_is_nothing()
    {
        await FailAsync("secret@example.org");
        using var stranger = OpsBrowser.Open(_system.GatewayUrl);
        var page = await stranger.GetAsync("/ops");
        Assert.Equal(HttpStatusCode.Unauthorized, page.StatusCode);
        Assert.DoesNotContain("SignUp", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.SignInAsync("mallory", "a-guess")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync($"/ops/messages/{Guid.NewGuid()}")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsync("/ops/retry-all", new FormUrlEncodedContent([]))).StatusCode);
        stranger.DefaultRequestHeaders.Add("Cookie", "operator=NDEwMDAwMDAwMApyb290.AAAA");
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync("/ops")).StatusCode);

        await using var without = _system.Add("Gateway");
        await without.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(without.Url) };
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/ops")).StatusCode);
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
        Assert.Matches("(?s)Accounts <span[^>]*>well<", page);
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
        using var operators = await SignedInAsync("Ada Lovelace");
        string link;
        await using (await _system.BreakUniquenessAsync())
        {
            await SendAsync(command);
            link = await LinkAsync(operators, ">ProposeEvent<");
        }

        Assert.Equal(HttpStatusCode.OK, (await operators.PressAsync(link, link + "/retry")).StatusCode);

        await HandledAsync(command);
        await Wait.UntilAsync(async () => await CountAsync("select count(*) from log.mt_events where type = 'MessageRetried' and data->>'by' = $1 and data->>'queue' = 'uniqueness'", "Ada Lovelace") == 1, "the fact is in the log");
        Assert.Contains("The queue error is empty", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task all_are_retried_by_one_button_and_the_log_has_a_fact_for_each()
    {
        var commands = Enumerable.Range(0, 3).Select(_ => OperatedSystem.NewSignUp()).ToList();
        using var operators = await SignedInAsync("Mary Jackson");
        await using (await _system.BreakUniquenessAsync())
        {
            foreach (var command in commands) await SendAsync(command);
            await Wait.UntilAsync(async () => (await operators.GetStringAsync("/ops")).Contains("Failed messages: 3<", StringComparison.Ordinal), "all three are on the page");
        }

        var answer = await operators.PressAsync("/ops", "/ops/retry-all");

        Assert.Contains("3 sent to their queues again.", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        foreach (var command in commands) await HandledAsync(command);
        await Wait.UntilAsync(async () => await CountAsync("select count(distinct stream_id) from log.mt_events where type = 'MessageRetried' and data->>'by' = $1 and data->>'queue' = 'uniqueness'", "Mary Jackson") == 3, "the facts are in the log");
        Assert.Contains("The queue error is empty", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task while_somebody_else_reads_the_queue_error_the_page_says_so_and_takes_nothing_away_from_him()
    {
        await FailAsync("someone@example.org");
        HttpClient operators;
        await using (var other = await _system.Broker.OpenChannelAsync(CancellationToken.None))
        {
            // Before any look at the page, since whoever looks reads.
            await other.BasicConsumeAsync("error", autoAck: false, consumerTag: "", noLocal: false, exclusive: true, arguments: null, new AsyncEventingBasicConsumer(other));
            operators = await SignedInAsync();
            var page = await operators.GetStringAsync("/ops");
            Assert.Contains("Somebody else is reading the queue error", page, StringComparison.Ordinal);
            Assert.DoesNotContain("The queue error is empty", page, StringComparison.Ordinal);
            Assert.Equal(1u, (await _channel.QueueDeclarePassiveAsync("error")).ConsumerCount);
        }

        // He has let go, and the message is still there.
        await LinkAsync(operators, ">SignUp<");
        operators.Dispose();
    }

    [Fact]
    public async Task a_message_is_discarded_from_the_page_only_and_with_a_reason_which_the_log_keeps()
    {
        await FailAsync("someone@example.org");
        using var operators = await SignedInAsync("Grace Hopper");
        var link = await LinkAsync(operators, ">SignUp<");
        // Another site sends the operator's cookie along, and cannot know the form's token.
        var forged = await operators.PostAsync(link + "/discard", new FormUrlEncodedContent([new("reason", "forged")]));
        Assert.Contains("too old", await forged.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        Assert.Contains("Say why", await (await operators.PressAsync(link, link + "/discard", ("reason", "  "))).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains(">SignUp<", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);

        await operators.PressAsync(link, link + "/discard", ("reason", "sent by a test"));
        Assert.Contains("The queue error is empty", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);
        await Wait.UntilAsync(async () => await CountAsync("select count(*) from log.mt_events where type = 'MessageDiscarded' and data->>'by' = $1 and data->>'reason' = 'sent by a test'", "Grace Hopper") == 1, "the fact is in the log");
    }

    /// <summary>A message that no handler can handle, of a sender with a bug.</summary>
    private async Task<string> FailAsync(string email)
    {
        var id = Guid.NewGuid().ToString();
        await _channel.BasicPublishAsync("accounts", "", mandatory: true, OperatedSystem.AsNServiceBus(typeof(SignUp), id),
            OperatedSystem.Body(new { AccountId = Guid.NewGuid(), Username = email.Split('@')[0], Email = email }));
        await Wait.UntilAsync(async () => (await _channel.QueueDeclarePassiveAsync("error")).MessageCount > 0, "it is in error");
        return id;
    }

    /// <summary>As an endpoint of a partner would.</summary>
    private async Task SendAsync(SignUp command) =>
        await _channel.BasicPublishAsync("accounts", "", mandatory: true, OperatedSystem.AsNServiceBus(typeof(SignUp), command.AccountId.ToString()), OperatedSystem.Body(command));

    private Task HandledAsync(SignUp command) => Wait.UntilAsync(
        async () => await CountAsync("select count(*) from log.mt_events where type = 'AccountCreated' and stream_id = $1", command.AccountId) == 1, "it was handled");

    private Task<HttpClient> SignedInAsync(string name = "operator") => OpsBrowser.SignedInAsync(_system.GatewayUrl, Key, name);

    private static Task<string> LinkAsync(HttpClient browser, string text) => Wait.ForAsync(async () =>
    {
        var page = await browser.GetStringAsync("/ops");
        return page.Contains(text, StringComparison.Ordinal) ? MessageLink().Match(page).Value : null;
    }, $"a message {text} on the page");

    private async Task<long> CountAsync(string sql, object parameter)
    {
        await using var command = _system.Database.CreateCommand(sql);
        command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = parameter });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    [GeneratedRegex("/ops/messages/[0-9a-f-]{36}")]
    private static partial Regex MessageLink();
}
