using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Signup.Hosting;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Gateway;

public sealed class when_the_whole_system_is_there(when_the_whole_system_is_there.Running running) : IClassFixture<when_the_whole_system_is_there.Running>
{
    private const string EventsKey = "a key: with a colon";

    public sealed class Running() : SystemWithGateway("pages", ("Mail__EventsKey", EventsKey));

    private GatewayHttp Gateway => running.Gateway;

    [Fact]
    public async Task the_same_key_with_the_same_body_gets_the_very_same_answer_from_any_gateway()
    {
        var (body, key) = (Body(NewEmail()), ("Idempotency-Key", Guid.NewGuid().ToString()));
        var first = await Gateway.PostJsonAsync("/users", body, key);

        var process = running.System.Add("Gateway");
        await process.StartAsync();
        using var other = new GatewayHttp(process);

        Assert.Equal(201, first.Status);
        foreach (var again in new[] { await Gateway.PostJsonAsync("/users", body, key), await other.PostJsonAsync("/users", body, key, ("Accept-Language", "de")) })
            Assert.Equal((first.Status, first.Text, first.Header("Location")), (again.Status, again.Text, again.Header("Location")));
    }

    [Fact]
    public async Task each_request_of_api_http_is_answered_what_it_says_and_there_is_one_for_all_that_is_described()
    {
        var file = new HttpFile(await File.ReadAllTextAsync(Path.Combine(Parts.Root, "api.http")));
        var (email, another, answers) = (NewEmail(), NewEmail(), new Dictionary<string, JsonNode>());
        var (stream, @event) = ($"{Guid.NewGuid()}", $"{Guid.NewGuid()}");

        foreach (var request in file.Requests)
        {
            var url = await FillInAsync(request.Url);
            var body = request.Body is null ? null : await FillInAsync(request.Body);
            var headers = await Task.WhenAll(request.Headers.Where(h => h.Name != "Content-Type").Select(async h => (h.Name, await FillInAsync(h.Value))));
            var answer = await SendAsync();
            // People are slower than the read model, which follows in a moment.
            await Wait.UntilAsync(async () => answer.Status == request.Expected || (answer = await SendAsync()).Status == request.Expected, $"{request.Title} is answered {request.Expected}, and not {answer.Status}: {answer.Text}");
            if (request.Name is not null) answers[request.Name] = answer.Json;

            Task<Answer> SendAsync() => Gateway.SendAsync(new(request.Method), url, body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json"), headers);
        }
        Assert.Equal([], ApiDescription.Names.Except(file.Requests.Select(r => ApiDescription.NameOf(r.Method, r.Url.Replace("{{gateway}}", "", StringComparison.Ordinal)))));

        Task<string> FillInAsync(string text) => file.FillInAsync(text, async name => name switch
        {
            "gateway" => running.System.GatewayUrl,
            "query" => running.System["Query"].Url,
            "uniqueness" => running.System.UniquenessUrl,
            "queryKey" or "uniquenessKey" => running.System.ApiKey,
            "mailEventsKey" => EventsKey,
            "email" => email,
            "anotherEmail" => another,
            "activationToken" => await running.LinkAsync($"activation.{answers["signUp"]["id"]}"),
            "emailToken" => await running.LinkAsync($"email-confirmation-*.{answers["signUp"]["id"]}"),
            "resetToken" => await running.LinkAsync($"password-reset-*.{answers["signUp"]["id"]}"),
            "stream" => stream,
            "event" => @event,
            _ => null,
        }, answers);
    }

    [Fact]
    public async Task the_same_key_with_another_password_is_another_body()
    {
        var (email, key) = (NewEmail(), ("Idempotency-Key", Guid.NewGuid().ToString()));
        Assert.Equal(201, (await Gateway.PostJsonAsync("/users", Body(email), key)).Status);

        var other = await Gateway.PostJsonAsync("/users", Body(email, password: "another horse battery"), key);

        Assert.Equal(422, other.Status);
        Assert.EndsWith("/idempotency-key-reused", other.Type, StringComparison.Ordinal);
    }

    [Fact]
    public async Task a_refused_sign_up_repeated_with_its_key_is_refused_again()
    {
        var (email, key) = (NewEmail(), ("Idempotency-Key", Guid.NewGuid().ToString()));
        await Gateway.PostJsonAsync("/users", Body(email));

        Assert.Equal(409, (await Gateway.PostJsonAsync("/users", Body(email), key)).Status);
        Assert.Equal(409, (await Gateway.PostJsonAsync("/users", Body(email), key)).Status);
    }

    [Fact]
    public async Task the_form_sent_twice_makes_one_account_and_with_other_details_it_says_so()
    {
        var (fields, cookie) = await Gateway.FormAsync(NewEmail());

        var both = await Task.WhenAll(Gateway.PostFormAsync("/", fields, cookie), Gateway.PostFormAsync("/", fields, cookie));
        Assert.Equal([303, 303], both.Select(a => a.Status));
        Assert.Equal(both[0].Header("Location"), both[1].Header("Location"));

        var other = await Gateway.PostFormAsync("/", new Dictionary<string, string>(fields) { ["email"] = NewEmail() }, cookie);
        Assert.Equal(409, other.Status);
        Assert.Contains("This form was sent before", other.Text, StringComparison.Ordinal);
        // The page that says so has a form of its own, which goes through.
        var key = Regex.Match(other.Text, "name=\"formKey\" value=\"([^\"]+)\"").Groups[1].Value;
        Assert.Equal(303, (await Gateway.PostFormAsync("/", new Dictionary<string, string>(fields) { ["email"] = NewEmail(), ["formKey"] = key }, cookie)).Status);
    }

    [Fact]
    public async Task a_form_without_its_token_or_from_another_site_makes_no_account()
    {
        var (fields, cookie) = await Gateway.FormAsync(NewEmail());
        var without = new Dictionary<string, string>(fields);
        without.Remove("formToken");

        Assert.Equal(400, (await Gateway.PostFormAsync("/", fields)).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync("/", without, cookie)).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync("/", fields, cookie, ("Sec-Fetch-Site", "cross-site"))).Status);
        Assert.Equal(303, (await Gateway.PostFormAsync("/", fields, cookie)).Status);
    }

    [Fact]
    public async Task an_account_is_shown_by_token_and_by_cookie_and_to_anyone_else_it_is_not_there()
    {
        var email = NewEmail();
        var signedUp = await SignedUpAsync(Body(email, username: "Zoë 🦊"));
        var other = await SignedUpAsync(Body(NewEmail()));
        var path = signedUp.Header("Location")!;

        foreach (var proof in new[] { Bearer(signedUp.Json), ("Cookie", signedUp.Cookie) })
        {
            var shown = await Gateway.GetAsync(path, proof);
            Assert.Equal(200, shown.Status);
            Assert.Equal(["id", "username", "email", "status", "mail"], shown.Json.Select(p => p.Key));
            Assert.Equal(("Zoë 🦊", email, "pending"), ((string?)shown.Json["username"], (string?)shown.Json["email"], (string?)shown.Json["status"]));
        }
        var none = await Gateway.GetAsync($"/users/{Guid.NewGuid()}");
        foreach (var answer in new[]
        {
            await Gateway.GetAsync(path),
            await Gateway.GetAsync(path, Bearer(other.Json)),
            await Gateway.GetAsync(path, ("Authorization", "Bearer " + running.Tokens.Issue("activation", Guid.Parse(path.Split('/')[^1]), DateTimeOffset.UtcNow.AddDays(1)))),
            await Gateway.GetAsync("/users/nobody"),
        })
            Assert.Equal((404, (string?)none.Json["detail"], none.Type), (answer.Status, (string?)answer.Json["detail"], answer.Type));
    }

    [Fact]
    public async Task whatever_can_be_read_can_be_asked_for_its_head()
    {
        var signedUp = await SignedUpAsync(Body(NewEmail()));
        var (id, bearer) = ((string)signedUp.Json["id"]!, Bearer(signedUp.Json));
        await Wait.UntilAsync(async () => (await Gateway.GetAsync(signedUp.Header("Location")!, bearer)).Status == 200, "the read model has it");
        var style = Regex.Match((await Gateway.GetAsync("/")).Text, "href=\"(/assets/site[^\"]+css)\"").Groups[1].Value;
        foreach (var (process, path) in new[]
        {
            ("Gateway", "/"), ("Gateway", $"/activate?token={Token(signedUp)}"), ("Gateway", $"/users/{id}"), ("Gateway", "/dev/inbox"), ("Gateway", style), ("Gateway", "/health/ready"),
            ("Query", "/accounts"), ("Query", $"/accounts/{id}"), ("Query", $"/accounts/{id}/events"), ("Query", "/log"), ("Query", "/"), ("Query", "/health/live"),
            ("Uniqueness", $"/event/{id}/{id}"), ("Uniqueness", "/health/live"), ("Mail", "/health/live"),
        })
        {
            using var http = running.System.Client(process);
            http.DefaultRequestHeaders.Add(bearer.Item1, bearer.Item2);
            using var whole = await http.GetAsync(path);
            using var head = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
            Assert.Equal((path, whole.StatusCode, whole.Content.Headers.ContentType), (path, head.StatusCode, head.Content.Headers.ContentType));
            Assert.NotEqual(405, (int)head.StatusCode);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    public async Task looking_at_the_link_changes_nothing_and_the_button_can_be_pressed_twice()
    {
        var signedUp = await SignedUpAsync(Body(NewEmail()));
        var token = Token(signedUp);
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Get, HttpMethod.Head })
            await Gateway.SendAsync(method, $"/activate?token={token}", null);
        Assert.Equal("pending", (string?)(await Gateway.GetAsync(signedUp.Header("Location")!, Bearer(signedUp.Json))).Json["status"]);

        Assert.Equal(200, (await Gateway.PostFormAsync("/activations", new Dictionary<string, string> { ["token"] = token })).Status);
        Assert.Equal(200, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = token }.ToJsonString())).Status);
        Assert.Equal("active", (string?)(await Gateway.GetAsync(signedUp.Header("Location")!, Bearer(signedUp.Json))).Json["status"]);
    }

    [Fact]
    public async Task a_link_proves_the_address_that_it_was_mailed_to_and_no_later_one()
    {
        var (old, email) = (NewEmail(), NewEmail());
        var signedUp = await SignedUpAsync(Body(old));
        var id = Guid.Parse((string)signedUp.Json["id"]!);
        var first = await LinkAsync($"activation.{id}");
        await ChangeEmailAsync(id, old, email);

        var answer = await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = first }.ToJsonString());
        Assert.Equal((400, "/problems/token-outdated"), (answer.Status, answer.Type));
        Assert.Contains("the link in the mail to the new address", (string?)answer.Json["detail"], StringComparison.Ordinal);
        var page = await Gateway.PostFormAsync("/activations", new Dictionary<string, string> { ["token"] = first });
        Assert.Equal(400, page.Status);
        Assert.Contains("the link in the mail to the new address", page.Text, StringComparison.Ordinal);
        Assert.Equal("pending", (string?)(await Gateway.GetAsync(signedUp.Header("Location")!, Bearer(signedUp.Json))).Json["status"]);

        var second = await LinkAsync($"activation~1.{id}");
        foreach (var _ in new[] { 1, 2 }) Assert.Equal(200, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = second }.ToJsonString())).Status);
        Assert.Equal(400, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = first }.ToJsonString())).Status);
        await Wait.UntilAsync(async () => (await Gateway.GetAsync(signedUp.Header("Location")!, Bearer(signedUp.Json))).Json is { } json && ((string?)json["email"], (string?)json["status"]) == (email, "active"),
            "the account's page shows the new address");
    }

    [Fact]
    public async Task a_token_that_is_forged_or_cut_off_or_expired_or_for_something_else_activates_nothing()
    {
        var signedUp = await SignedUpAsync(Body(NewEmail()));
        var id = Guid.Parse((string)signedUp.Json["id"]!);
        var token = Token(signedUp);
        var foreign = new SignedTokens([new byte[32]], TimeProvider.System).Issue("activation", id, DateTimeOffset.UtcNow.AddDays(7));
        foreach (var (bad, type) in new (JsonNode?, string)[]
        {
            (token[..^1], "token-invalid"),
            ((token[0] == 'A' ? "B" : "A") + token[1..], "token-invalid"),
            (token + "A", "token-invalid"),
            (foreign, "token-invalid"),
            ("", "token-invalid"),
            (null, "token-invalid"),
            (7, "token-invalid"),
            ((string)signedUp.Json["statusToken"]!, "token-invalid"),
            (running.Tokens.Issue("activation", Guid.NewGuid(), DateTimeOffset.UtcNow.AddDays(7)), "token-invalid"),
            (running.Tokens.Issue("activation", id, DateTimeOffset.UtcNow.AddSeconds(-1)), "token-expired"),
        })
        {
            var answer = await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = bad }.ToJsonString());
            Assert.Equal((400, "/problems/" + type), (answer.Status, answer.Type));
        }
        Assert.Equal(400, (await Gateway.GetAsync("/activate")).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync("/activations", new Dictionary<string, string> { ["token"] = foreign })).Status);
        Assert.Equal("pending", (string?)(await Gateway.GetAsync(signedUp.Header("Location")!, Bearer(signedUp.Json))).Json["status"]);
    }

    [Fact]
    public async Task the_mail_is_sent_again_for_whoever_signed_up_and_once_a_minute()
    {
        var signedUp = await SignedUpAsync(Body(NewEmail()));
        var path = signedUp.Header("Location") + "/activation-mail";

        Assert.Equal(404, (await Gateway.SendAsync(HttpMethod.Post, path, null)).Status);
        Assert.Equal(404, (await Gateway.SendAsync(HttpMethod.Post, $"/users/{Guid.NewGuid()}/activation-mail", null)).Status);
        // A cookie comes along with whatever another site makes the browser send.
        Assert.Equal(400, (await Gateway.SendAsync(HttpMethod.Post, path, null, ("Cookie", signedUp.Cookie), ("Origin", "https://evil.example"))).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync(path, new Dictionary<string, string>(), ("Cookie", signedUp.Cookie))).Status);
        await Wait.UntilAsync(async () => (string?)(await MailOfAsync(signedUp))["state"] == "sent", "the first mail is sent");
        Assert.Equal(202, (await Gateway.SendAsync(HttpMethod.Post, path, null, Bearer(signedUp.Json))).Status);
        var again = await Gateway.SendAsync(HttpMethod.Post, path, null, Bearer(signedUp.Json));
        Assert.Equal(429, again.Status);
        Assert.InRange(int.Parse(again.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 60);

        // Who is active needs none, and is told that.
        var token = await LinkAsync($"activation.{signedUp.Json["id"]}");
        Assert.Equal(200, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = token }.ToJsonString())).Status);
        var active = await Gateway.SendAsync(HttpMethod.Post, path, null, Bearer(signedUp.Json));
        Assert.Equal((200, "active"), (active.Status, (string?)active.Json["status"]));
        Assert.Contains("Your account is active", (await Gateway.SendAsync(HttpMethod.Post, path, null, Bearer(signedUp.Json), ("Accept", "text/html"))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task what_the_mail_provider_reports_becomes_one_fact_and_is_seen_by_whoever_signed_up()
    {
        var signedUp = await SignedUpAsync(Body(NewEmail()));
        var id = Guid.Parse((string)signedUp.Json["id"]!);
        await LinkAsync($"activation.{id}");
        var report = Report(id, "activation", "bounced");

        foreach (var _ in new[] { 1, 2 })
        {
            var answer = await ReportAsync(report);
            Assert.Equal((202, 1, 0), (answer.Status, (int)answer.Json["taken"]!, (int)answer.Json["ignored"]!));
        }
        await Wait.UntilAsync(async () => await MailOfAsync(signedUp) is var mail && (string?)mail["state"] == "bounced" && (string?)mail["reason"] == "mailbox-full", "the account shows that the mail came back");
        // Many at once, of which some are no news, of nobody, or none of ours.
        var last = await ReportAsync(new JsonArray(Report(id, "activation", "delivered"), Report(id, "activation", "bounced"), Report(Guid.NewGuid(), "activation", "bounced"),
            Report(id, "activation", "opened"), new JsonObject { ["messageId"] = "<newsletter@elsewhere>", ["event"] = "bounced" }, Report(id, "activation", "complained")));
        Assert.Equal((202, 4, 2), (last.Status, (int)last.Json["taken"]!, (int)last.Json["ignored"]!));
        await Wait.UntilAsync(async () => (string?)(await MailOfAsync(signedUp))["state"] == "complained", "the account shows that the mail was not wanted");

        await Wait.UntilAsync(async () => (await LogAsync(id)).Count(t => t == "MailDelivered") == 1, "all of it is in the log");
        Assert.Equal(["AccountCreated", "ActivationMailSent", "MailBounced", "MailComplained", "MailDelivered"], (await LogAsync(id)).Order());
    }

    [Fact]
    public async Task only_whoever_has_the_key_reports()
    {
        var report = Report(Guid.NewGuid(), "activation", "bounced");
        foreach (var (name, value) in new[] { ("X-Api-Key", "another"), ("X-Api-Key", ""), ("Authorization", Basic("another")), ("Authorization", Basic("")), ("Authorization", "Basic a"), ("Authorization", $"Bearer {EventsKey}") })
        {
            var answer = await Gateway.PostJsonAsync("/mail/events", report.ToJsonString(), (name, value));
            Assert.Equal((401, "/problems/unauthorized"), (answer.Status, answer.Type));
            Assert.StartsWith("Basic ", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        }
        // As Amazon SNS sends it.
        var sns = new StringContent(report.ToJsonString(), System.Text.Encoding.UTF8, "text/plain");
        Assert.Equal(202, (await Gateway.SendAsync(HttpMethod.Post, "/mail/events", sns, ("Authorization", Basic(EventsKey)))).Status);

        static string Basic(string password) => "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"provider:{password}"));
    }

    [Fact]
    public async Task a_report_that_cannot_be_read_says_what_is_wrong_with_it()
    {
        var key = ("X-Api-Key", EventsKey);
        foreach (var bad in new[] { "", "bounced", "{\"messageId\":\"\\ud800\"}" })
        {
            var answer = await Gateway.PostJsonAsync("/mail/events", bad, key);
            Assert.Equal((400, "/problems/invalid-json"), (answer.Status, answer.Type));
        }
        Assert.Equal(413, (await Gateway.PostJsonAsync("/mail/events", new string(' ', (1024 * 1024) + 1), key)).Status);
        var many = await ReportAsync(new JsonArray([.. Enumerable.Range(0, 1000).Select(_ => Report(Guid.NewGuid(), "activation", "bounced"))]));
        Assert.Equal((202, 1000), (many.Status, (int)many.Json["taken"]!));

        Assert.Equal(202, (await Gateway.PostJsonAsync("/mail/events", """{"Type":"SubscriptionConfirmation","SubscribeURL":"https://sns.example/?Action=ConfirmSubscription"}""", key)).Status);
        Assert.Equal(202, (await Gateway.PostJsonAsync("/mail/events", """{"to":"zoe@example.org","reason":"zoe@example.org"}""", key)).Status);
        await Wait.UntilAsync(() => Task.FromResult(running.System["Gateway"].LogLines("https://sns.example/?Action=ConfirmSubscription").Length == 1), "the log has the link to open");
        await Wait.UntilAsync(() => Task.FromResult(running.System["Gateway"].LogLines("its fields are: to, reason").Length == 1), "the log says what was not understood");
        Assert.Empty(running.System["Gateway"].LogLines("zoe@example.org"));
    }

    [Fact]
    public async Task an_address_that_mails_come_back_from_is_corrected_and_the_right_one_gets_the_mail()
    {
        var (wrong, right) = (NewEmail(), NewEmail());
        var (signedUp, id, first) = await BouncedAsync(wrong);

        foreach (var _ in new[] { 1, 2 })
        {
            var corrected = await CorrectAsync(signedUp, right);
            Assert.Equal((200, $"{id}", right, "pending"), (corrected.Status, (string?)corrected.Json["id"], (string?)corrected.Json["email"], (string?)corrected.Json["status"]));
        }
        Assert.Equal(right, (string?)(await Gateway.GetAsync(signedUp.Header("Location")!, Bearer(signedUp.Json))).Json["email"]);
        Assert.Equal(400, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = first }.ToJsonString())).Status);
        Assert.Equal(201, (await Gateway.PostJsonAsync("/users", Body(wrong))).Status);
        Assert.Equal(409, (await Gateway.PostJsonAsync("/users", Body(right))).Status);
        Assert.Equal(200, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = await LinkAsync($"activation~1.{id}") }.ToJsonString())).Status);
        Assert.Single(await LogAsync(id), t => t == "EmailChanged");
    }

    [Fact]
    public async Task each_event_says_who_made_it_happen_and_what_led_to_it()
    {
        var (signedUp, id, _) = await BouncedAsync(NewEmail());
        await CorrectAsync(signedUp, NewEmail());
        Assert.Equal(200, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = await LinkAsync($"activation~1.{id}") }.ToJsonString())).Status);
        await Wait.UntilAsync(async () => (await LogAsync(id)).Count(t => t == "ActivationMailSent") == 2, "both mails are recorded");

        using var query = running.System.Client("Query");
        var events = JsonNode.Parse(await query.GetStringAsync($"/accounts/{id}/events"))!.AsArray();
        Assert.Equal(
            [("AccountActivated", "person"), ("AccountCreated", "person"), ("ActivationMailSent", "mail"), ("ActivationMailSent", "mail"), ("EmailChanged", "person"), ("MailBounced", "mail-provider")],
            events.Select(e => ((string)e!["type"]!, (string?)e["actor"])).Order());
        Assert.All(events, e => Assert.True(Guid.TryParse((string?)e!["causationId"], out _) && Guid.TryParse((string?)e["correlationId"], out _)));
        // Each mail by the event that gave cause for it; all that follows from the sign-up belongs together.
        var sent = events.Where(e => (string)e!["type"]! == "ActivationMailSent").ToList();
        foreach (var (mail, cause) in sent.Zip(["AccountCreated", "EmailChanged"]))
        {
            var led = events.Single(e => (string)e!["type"]! == cause)!;
            Assert.Equal(((string?)led["id"], (string?)led["correlationId"]), ((string?)mail!["causationId"], (string?)mail["correlationId"]));
        }
        Assert.Equal(4, events.Select(e => (string?)e!["correlationId"]).Distinct().Count());
        var page = await query.GetStringAsync($"/history/{id}?step={(int)sent[1]!["version"]!}");
        Assert.Contains("<dt>made to happen by</dt><dd><bdi>mail</bdi></dd>", page, StringComparison.Ordinal);
        Assert.Contains("EmailChanged</a>", page[page.IndexOf("<dt>caused by</dt>", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public async Task an_address_that_cannot_be_taken_says_why_and_the_old_one_stays()
    {
        var (taken, email) = (NewEmail(), NewEmail());
        await SignedUpAsync(Body(taken));
        var (signedUp, _, _) = await BouncedAsync(email);
        var path = signedUp.Header("Location") + "/email";

        foreach (var bad in new[] { "zoe", "", "zoe@example.org\r\nBcc: all@example.org" })
        {
            var answer = await CorrectAsync(signedUp, bad);
            Assert.Equal((400, "/problems/validation"), (answer.Status, answer.Type));
            Assert.Equal(["email"], answer.Json["errors"]!.AsObject().Select(e => e.Key));
        }
        Assert.Equal(400, (await Gateway.PostJsonAsync(path, "{", Bearer(signedUp.Json))).Status);
        Assert.Equal(404, (await Gateway.PostJsonAsync(path, new JsonObject { ["email"] = NewEmail() }.ToJsonString())).Status);
        // A cookie comes along with whatever another site makes the browser send.
        Assert.Equal(400, (await Gateway.PostJsonAsync(path, new JsonObject { ["email"] = NewEmail() }.ToJsonString(), ("Cookie", signedUp.Cookie), ("Origin", "https://evil.example"))).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync(path, new Dictionary<string, string> { ["email"] = NewEmail() }, ("Cookie", signedUp.Cookie))).Status);

        foreach (var _ in new[] { 1, 2 })
        {
            var refused = await CorrectAsync(signedUp, taken.ToUpperInvariant());
            Assert.Equal((409, "/problems/email-taken"), (refused.Status, refused.Type));
        }
        Assert.Equal(email, (string?)(await Gateway.GetAsync(signedUp.Header("Location")!, Bearer(signedUp.Json))).Json["email"]);
    }

    [Fact]
    public async Task an_address_that_mails_reach_is_not_given_up_here()
    {
        var signedUp = await SignedUpAsync(Body(NewEmail()));
        var pending = await CorrectAsync(signedUp, NewEmail());
        Assert.Equal((409, "/problems/not-correctable"), (pending.Status, pending.Type));

        Assert.Equal(200, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = Token(signedUp) }.ToJsonString())).Status);
        Assert.Equal(409, (await CorrectAsync(signedUp, NewEmail())).Status);
    }

    /// <summary>An account whose mail was sent and came back, and the token in it.</summary>
    private async Task<(Answer SignedUp, Guid Id, string Token)> BouncedAsync(string email)
    {
        var signedUp = await SignedUpAsync(Body(email));
        var id = Guid.Parse((string)signedUp.Json["id"]!);
        var token = await LinkAsync($"activation.{id}");
        await Wait.UntilAsync(async () => (await LogAsync(id)).Contains("ActivationMailSent"), "the mail is recorded as sent");
        Assert.Equal(202, (await ReportAsync(Report(id, "activation", "bounced"))).Status);
        await Wait.UntilAsync(async () => (await LogAsync(id)).Contains("MailBounced"), "the bounce is recorded");
        return (signedUp, id, token);
    }

    private Task<Answer> CorrectAsync(Answer signedUp, string email) =>
        Gateway.PostJsonAsync(signedUp.Header("Location") + "/email", new JsonObject { ["email"] = email }.ToJsonString(), Bearer(signedUp.Json));

    private Task<Answer> ReportAsync(JsonNode report) => Gateway.PostJsonAsync("/mail/events", report.ToJsonString(), ("X-Api-Key", EventsKey));

    private static JsonObject Report(Guid account, string purpose, string what) =>
        new() { ["messageId"] = $"<{purpose}.{account}@signup.example>", ["event"] = what, ["reason"] = "mailbox-full", ["at"] = "2026-11-27T10:00:00Z" };

    private async Task<JsonNode> MailOfAsync(Answer signedUp) => (await Gateway.GetAsync(signedUp.Header("Location")!, Bearer(signedUp.Json))).Json["mail"]!;

    /// <summary>The kinds of the account's events.</summary>
    private async Task<List<string>> LogAsync(Guid id)
    {
        await using var command = running.System.Database.CreateCommand("select type from log.mt_events where stream_id = @id order by version");
        command.Parameters.AddWithValue("id", id);
        var types = new List<string>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) types.Add(reader.GetString(0));
        return types;
    }

    [Fact]
    public async Task a_sign_up_that_was_told_to_wait_and_then_refused_says_so()
    {
        var email = NewEmail();
        Assert.Equal(201, (await Gateway.PostJsonAsync("/users", Body(email))).Status);
        var process = running.System.Add("Gateway");
        process.Set("Signup__ReplyTimeout", "00:00:02");
        await process.StartAsync();
        using var hasty = new GatewayHttp(process);
        await running.System["Uniqueness"].FreezeAsync();
        Answer waiting;
        try
        {
            waiting = await hasty.PostJsonAsync("/users", Body(email));
            Assert.Equal(202, waiting.Status);
            var status = await hasty.GetAsync(waiting.Header("Location")!, Bearer(waiting.Json));
            Assert.Equal((202, "deciding"), (status.Status, (string?)status.Json["status"]));
        }
        finally
        {
            await running.System["Uniqueness"].ContinueAsync();
        }

        await Wait.UntilAsync(async () =>
        {
            var status = await hasty.GetAsync(waiting.Header("Location")!, Bearer(waiting.Json));
            return (status.Status, (string?)status.Json["status"], (string?)status.Json["reason"]) == (200, "refused", "email-taken");
        }, "its page says that it was refused");
    }

    /// <summary>The token in a mail that was written.</summary>
    private async Task<string> LinkAsync(string messageId)
    {
        string? file = null;
        await Wait.UntilAsync(() => Task.FromResult((file = Directory.GetFiles(running.System.MailPickup, $"*{messageId}.eml").SingleOrDefault()) is not null), $"the mail {messageId}");
        // Quoted-printable (RFC 2045, 6.7).
        var text = Regex.Replace(await File.ReadAllTextAsync(file!), "=\r?\n", "").Replace("=3D", "=", StringComparison.Ordinal);
        return Regex.Match(text, @"/activate\?token=([\w-]+)").Groups[1].Value;
    }

    /// <summary>Mail appends to the same stream meanwhile.</summary>
    private async Task ChangeEmailAsync(Guid id, string from, string to)
    {
        using var uniqueness = running.System.Client("Uniqueness");
        var version = 0;
        await Wait.UntilAsync(async () =>
        {
            using var response = await uniqueness.PatchAsJsonAsync("/event",
                new { streamId = id, expectedVersion = 1 + (version++ % 2), type = "EmailChanged", data = new { oldEmail = from, newEmail = to, changedAt = DateTimeOffset.UtcNow } });
            return response.IsSuccessStatusCode;
        }, "the address is changed");
    }

    private async Task<Answer> SignedUpAsync(string body)
    {
        var answer = await Gateway.PostJsonAsync("/users", body);
        Assert.Equal(201, answer.Status);
        return answer;
    }

    private string Token(Answer signedUp) => running.Tokens.Issue("activation", Guid.Parse((string)signedUp.Json["id"]!), DateTimeOffset.UtcNow.AddDays(7));
}
