using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Signup.Hosting;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Mail;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Gateway;

/// <summary>The gateway with a broker and nothing else: what it takes goes to a queue and stays there, so these tests see what it lets through.</summary>
public sealed class when_the_gateway_stands_alone(when_the_gateway_stands_alone.Running running) : IClassFixture<when_the_gateway_stands_alone.Running>
{
    public sealed class Running : IAsyncLifetime
    {
        public SignupSystem System { get; private set; } = null!;
        public GatewayHttp Gateway { get; private set; } = null!;
        public SignedTokens Tokens => new([System.SigningKey], TimeProvider.System);

        public async ValueTask InitializeAsync()
        {
            System = await SignupSystem.StartAsync("gateway", new Dictionary<string, string>
            {
                ["Signup__ReplyTimeout"] = "00:00:02",
                // Nobody listens there.
                ["Query__Url"] = "http://127.0.0.1:9",
                ["PasswordHashing__MemoryKiB"] = "8",
                ["PasswordHashing__Passes"] = "1",
                ["Mail__EventsKey"] = "key",
            }, "Gateway");
            Gateway = new GatewayHttp(System["Gateway"]);
        }

        public async ValueTask DisposeAsync()
        {
            Gateway?.Dispose();
            if (System is not null) await System.DisposeAsync();
        }
    }

    private GatewayHttp Gateway => running.Gateway;

    [Fact]
    public async Task what_it_is_asked_and_answers_is_described_as_on_record()
    {
        var said = (await Gateway.GetAsync("/openapi.json")).Text;
        var record = Path.Combine(Parts.Root, "docs", "openapi.json");
        Assert.True(await File.ReadAllTextAsync(record) == said + "\n", $"{record} is not what the gateway says of itself, which is\n{said}");
    }

    [Fact]
    public async Task bad_input_gets_a_clear_error_and_no_command_is_sent()
    {
        var before = await CommandsAsync();
        var good = Body(NewEmail());
        foreach (var (body, field) in new[]
        {
            (Body(NewEmail(), username: "  "), "username"),
            (Body(NewEmail(), username: "two\r\nlines"), "username"),
            (Body(NewEmail(), username: new string('x', 65)), "username"),
            (Body(""), "email"),
            (Body("zoe"), "email"),
            (Body("zoe@example.org\r\nBcc: everyone@example.org"), "email"),
            (Body(new string('x', 64) + "@" + new string('y', 190) + ".org"), "email"),
            (Body(NewEmail(), password: "        "), "password"),
            (Body(NewEmail(), password: "short"), "password"),
            (Body(NewEmail(), password: "PassWord123"), "password"),
            (Body(NewEmail(), password: new string('x', 257)), "password"),
            (good.Replace("\"Zo\\u00EB\"", "1", StringComparison.Ordinal), "username"),
            (good.Replace("\"Zo\\u00EB\"", "null", StringComparison.Ordinal), "username"),
            (good.Replace("\"Zo\\u00EB\"", "[\"Zo\"]", StringComparison.Ordinal), "username"),
            (good.Replace("Zo\\u00EB", "\\ud800", StringComparison.Ordinal), "username"),
        })
        {
            var answer = await Gateway.PostJsonAsync("/users", body);
            Assert.Equal((400, "application/problem+json"), (answer.Status, answer.ContentHeaders.ContentType?.MediaType));
            Assert.EndsWith("/validation", answer.Type, StringComparison.Ordinal);
            Assert.Equal([field], answer.Json["errors"]!.AsObject().Select(e => e.Key));
            Assert.EndsWith(".", (string?)answer.Json["errors"]![field]![0], StringComparison.Ordinal);
        }
        Assert.Equal(["username", "email", "password"], (await Gateway.PostJsonAsync("/users", "{}")).Json["errors"]!.AsObject().Select(e => e.Key));

        foreach (var json in new[] { "", "{", "[]", "null", "{\"email\":\"a@example.org\",\"email\":\"b@example.org\"}" })
            Assert.Equal((json, 400), (json, (await Gateway.PostJsonAsync("/users", json)).Status));
        Assert.Equal(413, (await Gateway.PostJsonAsync("/users", Body(NewEmail(), username: new string('x', 17_000)))).Status);
        Assert.Equal(413, (await Gateway.PostJsonAsync("/users", Body(NewEmail(), username: new string('x', 900_000)))).Status);
        // Whoever is cut off while still sending never sees the answer.
        Assert.Equal(413, (await Gateway.PostJsonAsync("/users", Body(NewEmail(), username: new string('x', 20_000_000)))).Status);
        Assert.Equal(413, (await Gateway.SendAsync(HttpMethod.Post, "/users", new ChunkedContent(Body(NewEmail(), username: new string('x', 17_000))))).Status);
        Assert.Equal(415, (await Gateway.SendAsync(HttpMethod.Post, "/users", new StringContent(good, Encoding.UTF8, "text/plain"))).Status);
        Assert.Equal(415, (await Gateway.SendAsync(HttpMethod.Post, "/users", new StringContent(good, Encoding.Unicode, "application/json"))).Status);
        Assert.Equal(415, (await Gateway.SendAsync(HttpMethod.Post, "/users", null)).Status);
        Assert.Equal(400, (await Gateway.PostJsonAsync("/users", good, ("Idempotency-Key", ""))).Status);
        Assert.Equal(400, (await Gateway.PostJsonAsync("/users", good, ("Idempotency-Key", new string('k', 256)))).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync("/", new Dictionary<string, string> { ["username"] = "Zoë", ["email"] = NewEmail(), ["password"] = "correct horse battery" })).Status);

        Assert.Equal(before, await CommandsAsync());
    }

    [Fact]
    public async Task a_sign_up_that_nobody_decides_is_accepted_once_it_is_safe_in_the_queue()
    {
        var before = await CommandsAsync();
        var answer = await Gateway.PostJsonAsync("/users", Body(NewEmail()));

        Assert.Equal(202, answer.Status);
        Assert.Equal($"/users/{answer.Json["id"]}", answer.Header("Location"));
        Assert.NotNull(answer.Header("Retry-After"));
        Assert.Equal(before + 1, await CommandsAsync());
    }

    [Fact]
    public async Task nobody_is_told_that_a_password_is_wrong_while_that_is_not_known()
    {
        var answer = await Gateway.PostJsonAsync("/sessions", Body(NewEmail()));
        Assert.Equal(503, answer.Status);
        Assert.EndsWith("/unavailable", answer.Type, StringComparison.Ordinal);
        Assert.NotNull(answer.Header("Retry-After"));
    }

    [Fact]
    public async Task signing_out_is_safe_in_the_queue_and_everywhere_waits_for_whoever_knows_the_session()
    {
        var (before, id) = (await CommandsAsync(), Guid.NewGuid());
        var token = $"{id:N}{running.Tokens.Issue($"session {id:N}", Guid.NewGuid(), DateTimeOffset.UtcNow.AddDays(1))}";
        var bearer = ("Authorization", "Bearer " + token);
        var here = await Gateway.SendAsync(HttpMethod.Delete, "/sessions/current", null, bearer);
        Assert.Equal((202, before + 1), (here.Status, await CommandsAsync()));
        foreach (var answer in new[] { await Gateway.SendAsync(HttpMethod.Delete, "/sessions", null, bearer), await Gateway.GetAsync("/account", bearer) })
            Assert.Equal((503, true), (answer.Status, answer.Header("Retry-After") is not null));
        Assert.Equal(before + 1, await CommandsAsync());
    }

    [Fact]
    public async Task without_query_the_account_page_says_that_it_cannot_be_shown_now()
    {
        var signedUp = await Gateway.PostJsonAsync("/users", Body(NewEmail()));
        var answer = await Gateway.GetAsync(signedUp.Header("Location")!, Bearer(signedUp.Json));
        Assert.Equal(503, answer.Status);
        Assert.NotNull(answer.Header("Retry-After"));
    }

    [Fact]
    public async Task without_a_broker_nothing_is_taken_and_the_caller_may_try_again()
    {
        var alone = new Running();
        await using var _ = alone;
        await alone.InitializeAsync();
        var gateway = alone.Gateway;
        using (var management = alone.System.Parts.ManagementClient())
        {
            // One that has forgotten everything takes nothing, either: first no queue is there, then not even its address.
            foreach (var forgotten in new[] { "queues", "exchanges" })
            {
                (await management.DeleteAsync($"api/{forgotten}/{alone.System.Parts.VirtualHost}/accounts")).EnsureSuccessStatusCode();
                Assert.Equal(503, (await gateway.PostJsonAsync("/users", Body(NewEmail()))).Status);
            }
            (await management.DeleteAsync($"api/vhosts/{alone.System.Parts.VirtualHost}")).EnsureSuccessStatusCode();
        }

        await Wait.UntilAsync(async () => (await gateway.PostJsonAsync("/users", Body(NewEmail()))).Status == 503, "the gateway has noticed");
        var answer = await gateway.PostJsonAsync("/users", Body(NewEmail()));
        Assert.EndsWith("/unavailable", answer.Type, StringComparison.Ordinal);
        Assert.NotNull(answer.Header("Retry-After"));
        var (fields, cookie) = await gateway.FormAsync("zoe@example.org");
        var page = await gateway.PostFormAsync("/", fields, cookie);
        Assert.Equal(503, page.Status);
        Assert.Contains("value=\"zoe@example.org\"", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("correct horse", page.Text, StringComparison.Ordinal);
        var report = await gateway.PostJsonAsync("/mail/events", $$"""{"messageId":"activation.{{Guid.NewGuid()}}","event":"bounced"}""", ("X-Api-Key", "key"));
        Assert.Equal((503, "/problems/unavailable"), (report.Status, report.Type));
        Assert.NotNull(report.Header("Retry-After"));
        Assert.Equal(200, (await gateway.GetAsync("/health/live")).Status);
        Assert.Equal(503, (await gateway.GetAsync("/health/ready")).Status);
    }

    [Fact]
    public async Task whenever_the_patience_ends_what_no_queue_took_is_known_to_be_nowhere()
    {
        await using (var channel = await running.System.Broker.OpenChannelAsync(Wait.Token))
            await channel.ExchangeDeclareAsync("nobody", "fanout", durable: true, autoDelete: false);

        // It is tried five times a second, and comes back each time: at some of these moments it is on its way there and back.
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async n =>
        {
            var command = new ResendActivationMail(Guid.NewGuid(), DateTimeOffset.UtcNow);
            var e = await Assert.ThrowsAsync<BrokerUnavailableException>(() =>
                running.System.Commands.AskAsync<ResendVerdict>("nobody", command, Guid.NewGuid(), TimeSpan.FromMilliseconds(600 + n), Wait.Token));
            Assert.False(e.MayBeThere);
        }));
    }

    [Fact]
    public async Task settings_are_taken_from_a_file_too_as_one_starts_it_from_an_editor()
    {
        var (process, file) = (running.System.Add("Gateway"), Path.Combine(running.System.MailPickup, "Gateway.env"));
        process.Set("SIGNUP_SETTINGS", file);
        Assert.Contains($"{file} is not there", (await Assert.ThrowsAsync<InvalidOperationException>(process.StartAsync)).Message, StringComparison.Ordinal);

        await File.WriteAllTextAsync(file, "RateLimiting__SignUpsPerMinute=1\nSignup__SigningKey=" + Convert.ToBase64String(running.System.SigningKey) + "\n");
        await process.StartAsync();
        using var gateway = new GatewayHttp(process);
        Assert.Equal(400, (await gateway.PostJsonAsync("/users", "{")).Status);
        Assert.Equal(429, (await gateway.PostJsonAsync("/users", "{")).Status);
        await process.KillAsync();
    }

    [Fact]
    public async Task more_sign_ups_than_a_client_may_try_are_turned_away_whatever_they_hold()
    {
        var process = running.System.Add("Gateway");
        process.Set("RateLimiting__SignUpsPerMinute", "5");
        await process.StartAsync();
        using var gateway = new GatewayHttp(process);
        var (fields, cookie) = await gateway.FormAsync("zoe@example.org");

        // Form or JSON, whatever is in it: each counts. These are answered at once, before the next is granted.
        var answers = new List<Answer>();
        for (var i = 0; i < 5; i++) answers.Add(i % 2 == 0 ? await gateway.PostJsonAsync("/users", "{") : await gateway.PostFormAsync("/", new Dictionary<string, string>()));
        Assert.All(answers, a => Assert.Equal(400, a.Status));

        var json = await gateway.PostJsonAsync("/users", Body(NewEmail()));
        Assert.Equal(429, json.Status);
        Assert.InRange(int.Parse(json.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 12);
        var form = await gateway.PostFormAsync("/", fields, cookie);
        Assert.Equal(429, form.Status);
        Assert.NotNull(form.Header("Retry-After"));
        Assert.Contains("value=\"zoe@example.org\"", form.Text, StringComparison.Ordinal);
        Assert.Equal(200, (await gateway.GetAsync("/")).Status);
        await process.KillAsync();
    }

    [Fact]
    public async Task a_burst_of_passwords_that_is_more_than_can_be_hashed_is_partly_turned_away_and_nothing_is_lost()
    {
        var process = running.System.Add("Gateway");
        process.Set("PasswordHashing__MemoryKiB", "131072");
        process.Set("PasswordHashing__Parallel", "1");
        process.Set("PasswordHashing__QueueLimit", "2");
        await process.StartAsync();
        using var gateway = new GatewayHttp(process);

        var before = await CommandsAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => gateway.PostJsonAsync("/users", Body(NewEmail()))));

        Assert.All(answers, a => Assert.True(a.Status is 202 or 503));
        Assert.All(answers.Where(a => a.Status == 503), a => Assert.NotNull(a.Header("Retry-After")));
        Assert.InRange(answers.Count(a => a.Status == 503), 1, 18);
        Assert.Equal(before + answers.Count(a => a.Status == 202), await CommandsAsync());
        await process.KillAsync();
    }

    [Fact]
    public async Task every_answer_tells_browsers_to_be_careful()
    {
        foreach (var path in new[] { "/", "/users/nobody", "/activate?token=x", "/nowhere", "/health/live" })
        {
            var answer = await Gateway.GetAsync(path, ("Accept", "text/html"));
            Assert.StartsWith("default-src 'none'", answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
            Assert.Equal("no-referrer", answer.Header("Referrer-Policy"));
            Assert.Contains("no-store", answer.Header("Cache-Control"), StringComparison.Ordinal);
            Assert.Null(answer.Header("Server"));
            Assert.DoesNotContain("   at ", answer.Text, StringComparison.Ordinal);
        }
        var style = System.Text.RegularExpressions.Regex.Match((await Gateway.GetAsync("/")).Text, "href=\"(/assets/site[^\"]+css)\"").Groups[1].Value;
        Assert.Contains("immutable", (await Gateway.GetAsync(style)).Header("Cache-Control"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task what_is_not_there_is_a_page_for_people_and_a_problem_for_programs()
    {
        var page = await Gateway.GetAsync("/nowhere", ("Accept", "text/html"));
        Assert.Equal((404, "text/html"), (page.Status, page.ContentHeaders.ContentType?.MediaType));
        var problem = await Gateway.GetAsync("/nowhere");
        Assert.Equal((404, "application/problem+json"), (problem.Status, problem.ContentHeaders.ContentType?.MediaType));
        Assert.Equal(200, (await Gateway.SendAsync(HttpMethod.Head, "/", null)).Status);
        var method = await Gateway.SendAsync(HttpMethod.Delete, "/users", null);
        Assert.Equal((405, "application/problem+json"), (method.Status, method.ContentHeaders.ContentType?.MediaType));
    }

    [Fact]
    public async Task in_production_behind_a_proxy_cookies_are_secure_the_client_is_who_the_proxy_says_and_there_is_nothing_without_its_key()
    {
        var process = running.System.Add("Gateway");
        process.Set("ASPNETCORE_ENVIRONMENT", "Production");
        process.Set("DOTNET_ENVIRONMENT", "Production");
        process.Set("ForwardedHeaders__KnownProxies", "127.0.0.1, 10.0.0.0/8");
        process.Set("RateLimiting__SignUpsPerMinute", "1");
        process.Set("Mail__EventsKey", "");
        await process.StartAsync();
        using var gateway = new GatewayHttp(process);
        (string, string)[] From(string client) => [("X-Forwarded-For", client), ("X-Forwarded-Proto", "https"), ("Host", "signup.example")];

        var page = await gateway.GetAsync("/", From("192.0.2.1"));
        Assert.StartsWith("__Host-", page.Cookie, StringComparison.Ordinal);
        Assert.Contains("secure", page.Header("Set-Cookie"), StringComparison.OrdinalIgnoreCase);
        Assert.StartsWith("max-age=31536000", page.Header("Strict-Transport-Security"), StringComparison.Ordinal);
        Assert.Equal(404, (await gateway.GetAsync("/dev/inbox")).Status);
        Assert.Equal(404, (await gateway.PostJsonAsync("/mail/events", "{}", ("X-Api-Key", ""))).Status);

        Assert.Equal(202, (await gateway.PostJsonAsync("/users", Body(NewEmail()), From("192.0.2.1"))).Status);
        Assert.Equal(429, (await gateway.PostJsonAsync("/users", Body(NewEmail()), From("192.0.2.1"))).Status);
        Assert.Equal(202, (await gateway.PostJsonAsync("/users", Body(NewEmail()), From("192.0.2.2"))).Status);
        // By way of two: whoever the first one names, not what was said before.
        Assert.Equal(202, (await gateway.PostJsonAsync("/users", Body(NewEmail()), From("192.0.2.1, 192.0.2.3, 10.1.2.3"))).Status);
        Assert.Equal(429, (await gateway.PostJsonAsync("/users", Body(NewEmail()), From("192.0.2.4, 192.0.2.3, 10.1.2.3"))).Status);
        Assert.Empty(process.LogLines("KnownProxies"));
        await process.KillAsync();
    }

    [Fact]
    public async Task without_a_known_proxy_nobody_can_say_to_be_someone_else_and_the_log_says_why_all_are_one()
    {
        var process = running.System.Add("Gateway");
        process.Set("ASPNETCORE_ENVIRONMENT", "Production");
        process.Set("DOTNET_ENVIRONMENT", "Production");
        process.Set("Signup__PublicUrl", "https://signup.example");
        process.Set("RateLimiting__SignUpsPerMinute", "1");
        await process.StartAsync();
        using var gateway = new GatewayHttp(process);
        Assert.Single(process.LogLines("ForwardedHeaders:KnownProxies does not say which"));

        Assert.Equal(202, (await gateway.PostJsonAsync("/users", Body(NewEmail()), ("X-Forwarded-For", "192.0.2.1"))).Status);
        Assert.Equal(429, (await gateway.PostJsonAsync("/users", Body(NewEmail()), ("X-Forwarded-For", "192.0.2.2"))).Status);
        await Wait.UntilAsync(() => Task.FromResult(process.LogLines("Forwarded headers come from 127.0.0.1").Length == 1), "the log names the proxy, once");

        // It says nothing of TLS itself, either: what is https for people has their cookies by https only.
        var page = await gateway.GetAsync("/");
        Assert.StartsWith("__Host-", page.Cookie, StringComparison.Ordinal);
        Assert.Contains("secure", page.Header("Set-Cookie"), StringComparison.OrdinalIgnoreCase);
        await process.KillAsync();
    }

    [Fact]
    public async Task where_no_application_is_named_there_is_nothing_for_any()
    {
        foreach (var path in new[] { "/.well-known/openid-configuration", "/.well-known/jwks", "/connect/authorize", "/connect/userinfo" }) Assert.Equal(404, (await Gateway.GetAsync(path)).Status);
        Assert.Equal(404, (await Gateway.PostFormAsync("/connect/token", new Dictionary<string, string> { ["grant_type"] = "authorization_code" })).Status);
        Assert.DoesNotContain("authorize", (await Gateway.GetAsync("/sign-in?authorize=client_id%3Dshop")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task behind_a_proxy_applications_are_told_the_public_address_and_answered_by_whichever_they_come()
    {
        var file = Path.Combine(running.System.Parts.Directory, "applications.json");
        await File.WriteAllTextAsync(file, """{ "clients": [ { "id": "shop", "name": "The shop", "redirectUris": ["https://shop.example/signed-in"] } ] }""");
        var process = running.System.Add("Gateway");
        process.Set("Signup__PublicUrl", "https://signup.example/");
        process.Set("OpenId__ClientsFile", file);
        await process.StartAsync();
        using var gateway = new GatewayHttp(process);
        foreach (var host in new (string, string)[][] { [], [("Host", "signup.example")], [("Host", "signup.example"), ("X-Forwarded-Proto", "https")] })
        {
            var discovery = await gateway.GetAsync("/.well-known/openid-configuration", host);
            Assert.Equal(200, discovery.Status);
            Assert.Equal("https://signup.example/", (string?)discovery.Json["issuer"]);
            foreach (var (name, path) in new[] { ("authorization_endpoint", "connect/authorize"), ("token_endpoint", "connect/token"), ("userinfo_endpoint", "connect/userinfo"), ("jwks_uri", ".well-known/jwks") })
                Assert.Equal($"https://signup.example/{path}", (string?)discovery.Json[name]);
            Assert.Equal(200, (await gateway.GetAsync("/.well-known/jwks", host)).Status);
            Assert.Equal(303, (await gateway.GetAsync(new Application("shop", "https://shop.example/signed-in", null).Request(), host)).Status);
            Assert.Equal(401, (await gateway.GetAsync("/connect/userinfo", [.. host, ("Authorization", "Bearer guessed")])).Status);
            Assert.Equal(400, (await gateway.PostFormAsync("/connect/token", new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = "guessed", ["client_id"] = "shop", ["code_verifier"] = new string('x', 43) }, host)).Status);
        }
        var large = await gateway.PostFormAsync("/connect/token", new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = new string('x', 20_000) });
        Assert.Equal((413, "application/problem+json"), (large.Status, large.ContentHeaders.ContentType?.MediaType));
        await process.KillAsync();
    }

    [Fact]
    public async Task a_proxy_that_nobody_has_declared_may_still_say_that_the_browser_speaks_tls()
    {
        Assert.DoesNotContain("secure", (await Gateway.GetAsync("/")).Header("Set-Cookie"), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("secure", (await Gateway.GetAsync("/", ("X-Forwarded-Proto", "https"))).Header("Set-Cookie"), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task a_broker_that_would_drop_messages_is_warned_of_at_the_start()
    {
        var warning = await SaidAsync(20);
        Assert.Matches(@"RabbitMQ \d+\.\d+\.\d+ drops messages", warning);
        Assert.Contains("accounts 20, ", warning, StringComparison.Ordinal);
        Assert.Contains($"set_policy -p '{running.System.Parts.VirtualHost}'", warning, StringComparison.Ordinal);
        Assert.Matches(@"RabbitMQ \d+\.\d+\.\d+ drops no message by itself", await SaidAsync(100_000));

        async Task<string> SaidAsync(int limit)
        {
            await running.System.Parts.SetDeliveryLimitAsync(limit);
            using var management = running.System.Parts.ManagementClient();
            await Wait.UntilAsync(async () => Regex.Count(await management.GetStringAsync($"api/queues/{running.System.Parts.VirtualHost}"), $"\"delivery-limit\":{limit}\\b") == 5, "the broker has told its management API");
            var process = running.System.Add("Gateway");
            process.Set("RabbitMq__ManagementUrl", running.System.Parts.Management);
            await process.StartAsync();
            var said = await Wait.ForAsync(() => Task.FromResult(process.LogLines("DeliveryLimits").FirstOrDefault()), "it says what it has found");
            await process.KillAsync();
            return said;
        }
    }

    [Fact]
    public async Task mails_that_were_not_sent_are_shown_on_this_machine_alone()
    {
        Assert.Equal(200, (await Gateway.GetAsync("/dev/inbox")).Status);
        // A proxy on this machine asks for somebody elsewhere.
        foreach (var header in new[] { ("X-Forwarded-For", "192.0.2.1"), ("Forwarded", "for=192.0.2.1") })
        {
            Assert.Equal(404, (await Gateway.GetAsync("/dev/inbox", header)).Status);
            Assert.Equal(404, (await Gateway.GetAsync("/dev/inbox/a.eml", header)).Status);
        }
    }

    [Fact]
    public async Task operators_see_no_words_but_the_pages_own_and_whoever_guesses_keys_is_stopped()
    {
        var process = running.System.Add("Gateway");
        var address = SignupProcess.FreeUrl();
        process.Set("Ops__Url", address);
        process.Set("Ops__Keys__ada", "a-long-and-random-key");
        await process.StartAsync();
        using var browser = new HttpClient { BaseAddress = new Uri(address) };

        Assert.Contains(">ada<", await SignInAsync("a-long-and-random-key"), StringComparison.Ordinal);
        Assert.DoesNotContain("this number", await browser.GetStringAsync("/ops?say=Call%20this%20number&done=1&left=0"), StringComparison.Ordinal);
        Assert.Contains("It is not in the queue error any more.", await browser.GetStringAsync($"/ops/messages/{Guid.NewGuid()}"), StringComparison.Ordinal);

        // Another site's page signs nobody out; their own does.
        using var foreign = new HttpRequestMessage(HttpMethod.Post, "/ops/sign-out") { Headers = { { "Sec-Fetch-Site", "cross-site" } } };
        Assert.Contains(">ada<", await (await browser.SendAsync(foreign)).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.PostAsync("/ops/sign-out", null)).StatusCode);
        // A form is no place for more than a key.
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.PostAsync("/ops/sign-in", new FormUrlEncodedContent([new("key", "a-long-and-random-key"), new("more", new string('x', 20_000))]))).StatusCode);
        Assert.Contains("Your key", await (await browser.GetAsync("/ops/sign-in")).Content.ReadAsStringAsync(), StringComparison.Ordinal);

        Assert.Contains("nobody&#x27;s key", await SignInAsync("a-guess"), StringComparison.Ordinal);
        for (var i = 0; i < 10; i++) await SignInAsync("a-guess");
        // Even if the next guess were right.
        Assert.Contains("Too many tries", await SignInAsync("a-long-and-random-key"), StringComparison.Ordinal);
        await process.KillAsync();

        async Task<string> SignInAsync(string key) => await (await browser.PostAsync("/ops/sign-in", new FormUrlEncodedContent([new("key", key)]))).Content.ReadAsStringAsync();
    }

    /// <summary>How many commands are in the queue of Accounts, which does not run.</summary>
    private async Task<int> CommandsAsync()
    {
        await using var channel = await running.System.Broker.OpenChannelAsync(Wait.Token);
        return (int)(await channel.QueueDeclarePassiveAsync("accounts")).MessageCount;
    }

    /// <summary>A body that does not say how long it is.</summary>
    private sealed class ChunkedContent : StringContent
    {
        public ChunkedContent(string content) : base(content, Encoding.UTF8, "application/json") => Headers.ContentLength = null;

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
