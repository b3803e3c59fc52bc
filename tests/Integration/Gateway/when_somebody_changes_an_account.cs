using System.Diagnostics;
using System.Text.Json.Nodes;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Gateway;

public sealed class when_somebody_changes_an_account(when_somebody_changes_an_account.Running running) : IClassFixture<when_somebody_changes_an_account.Running>
{
    private const string Another = "another horse battery", Third = "a third horse battery";

    public sealed class Running() : SystemWithGateway("changes", ("Uniqueness__File", Rules()), ("ForwardedHeaders__KnownProxies", "127.0.0.1"))
    {
        private static string Rules()
        {
            var path = Path.Combine(Path.GetTempPath(), $"uniqueness-{Guid.NewGuid():N}.json");
            // As CONTRIBUTING.md says it, for whoever wants user names to be unique.
            File.WriteAllText(path, """
                {
                  "constraints": { "email": { "normalize": "email" }, "username": { "normalize": "casefold" } },
                  "events": {
                    "AccountCreated": { "email": { "create": "email" }, "username": { "create": "username" } },
                    "EmailChangeRequested": { "email": { "reserve": { "value": "newEmail", "until": "expiresAt" } } },
                    "EmailChanged": { "email": { "update": { "from": "oldEmail", "to": "newEmail" } } },
                    "UsernameChanged": { "username": { "update": { "from": "oldUsername", "to": "newUsername" } } },
                    "AccountExpired": { "email": { "delete": "*" }, "username": { "delete": "*" } },
                    "AccountDeleted": { "email": { "delete": "*" }, "username": { "delete": "*" } }
                  }
                }
                """);
            return path;
        }
    }

    private GatewayHttp Gateway => running.Gateway;

    // The user name

    [Fact]
    public async Task another_user_name_is_shown_at_once_and_asking_again_changes_nothing()
    {
        var (email, id, _) = await running.SignUpAsync();
        var session = Bearer(await running.SignInAsync(email));
        var name = $"Countess {id}";
        for (var n = 0; n < 2; n++) Assert.Equal(204, (await PutAsync("/account/username", new() { ["username"] = $" {name} " }, session)).Status);

        Assert.Equal(name, (string?)(await Gateway.GetAsync("/account", session)).Json["username"]);
        Assert.Equal(name, (string?)(await running.SignInAsync(email)).Json["account"]!["username"]);
        Assert.Equal(["AccountCreated", "UsernameChanged"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task where_user_names_are_unique_one_that_is_taken_is_refused_and_one_that_was_given_up_is_free()
    {
        var (email, _, name) = await running.SignUpAsync();
        var (other, otherId, _) = await running.SignUpAsync();
        var (session, others) = (Bearer(await running.SignInAsync(email)), Bearer(await running.SignInAsync(other)));

        var taken = await PutAsync("/account/username", new() { ["username"] = name.ToUpperInvariant() }, others);
        Assert.Equal((409, true), (taken.Status, taken.Type!.EndsWith("/username-taken", StringComparison.Ordinal)));
        Assert.NotNull(taken.Json["errors"]!["username"]);
        Assert.Equal(["AccountCreated"], await running.EventsAsync(otherId));
        Assert.Equal(204, (await PutAsync("/account/username", new() { ["username"] = name + " the First" }, session)).Status);
        Assert.Equal(204, (await PutAsync("/account/username", new() { ["username"] = name }, others)).Status);
    }

    // The password

    [Fact]
    public async Task a_new_password_signs_in_the_old_one_does_not_and_only_this_session_goes_on()
    {
        var (email, id, _) = await running.SignUpAsync();
        await running.ActivateAsync(id);
        var (here, elsewhere) = (await running.SignInAsync(email), await running.SignInAsync(email));

        Assert.Equal(204, (await PutAsync("/account/password", new() { ["current"] = Password, ["new"] = Another }, Bearer(here))).Status);

        Assert.Equal((401, 200), ((await running.SignInAsync(email)).Status, (await running.SignInAsync(email, Another)).Status));
        Assert.Equal((200, 401), ((await Gateway.GetAsync("/account", Bearer(here))).Status, (await Gateway.GetAsync("/account", Bearer(elsewhere))).Status));
        Assert.Equal(["AccountCreated", "AccountActivated", "PasswordChanged"], await running.EventsAsync(id));
        Assert.Contains($"To: {email}", await running.MailAsync($"password-changed-*.{id}"), StringComparison.Ordinal);
        // The session that went on ends with all others.
        Assert.Equal(204, (await Gateway.SendAsync(HttpMethod.Delete, "/sessions", null, Bearer(here))).Status);
        Assert.Equal(401, (await Gateway.GetAsync("/account", Bearer(here))).Status);
    }

    [Fact]
    public async Task who_does_not_know_the_password_waits_longer_each_time_and_changes_nothing()
    {
        var (email, id, _) = await running.SignUpAsync();
        var session = Bearer(await running.SignInAsync(email));
        using var gateway = await running.AnotherAsync(("RateLimiting__SignInsPerMinute", "10000"));
        for (var n = 0; n < 5; n++)
        {
            var wrong = await PutAsync(gateway, "/account/password", new() { ["current"] = Third, ["new"] = Another }, session);
            Assert.Equal((401, true), (wrong.Status, wrong.Type!.EndsWith("/password-wrong", StringComparison.Ordinal)));
            Assert.NotNull(wrong.Json["errors"]!["current"]);
        }
        var refused = await PutAsync(gateway, "/account/password", new() { ["current"] = Password, ["new"] = Another }, session);
        Assert.Equal((429, "1"), (refused.Status, refused.Header("Retry-After")));
        Assert.Equal(["AccountCreated"], await running.EventsAsync(id));
        // Elsewhere, the owner is not kept out.
        Assert.Equal(204, (await PutAsync(gateway, "/account/password", new() { ["current"] = Password, ["new"] = Another }, session, ("X-Forwarded-For", "192.0.2.9"))).Status);
    }

    [Fact]
    public async Task what_cannot_be_is_said_by_field_and_nothing_happens()
    {
        var (email, id, name) = await running.SignUpAsync();
        var session = Bearer(await running.SignInAsync(email));
        foreach (var (path, body, fields) in new[]
        {
            ("/account/username", "{}", "username"), ("/account/username", """{"username":" "}""", "username"), ("/account/username", """{"username":["a"]}""", "username"),
            ("/account/username", $$"""{"username":"{{new string('x', 65)}}"}""", "username"),
            ("/account/password", "{}", "current new"), ("/account/password", """{"current":"x","new":"short"}""", "new"), ("/account/password", """{"current":1,"new":"password1"}""", "current new"),
            ("/account/password", $$"""{"current":"{{Password}}","new":"{{email}}"}""", "new"), ("/account/password", $$"""{"current":"{{Password}}","new":"{{name}}"}""", "new"),
        })
        {
            var answer = await PutTextAsync(Gateway, path, body, session);
            Assert.Equal((body, 400, fields), (body, answer.Status, string.Join(' ', answer.Json["errors"]!.AsObject().Select(e => e.Key))));
        }
        Assert.Equal(400, (await PutTextAsync(Gateway, "/account/password", "[]", session)).Status);
        Assert.Equal(["AccountCreated"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task without_a_session_or_from_another_site_nothing_is_changed()
    {
        var (email, id, _) = await running.SignUpAsync();
        var cookie = CookieOf(await running.SignInAsync(email));
        foreach (var (path, body) in new[] { ("/account/username", new JsonObject { ["username"] = $"Eve {id}" }), ("/account/password", new JsonObject { ["current"] = Password, ["new"] = Another }) })
        {
            Assert.Equal(401, (await PutTextAsync(Gateway, path, body.ToJsonString())).Status);
            Assert.Equal((303, "/sign-in"), Where(await Gateway.GetAsync(path, ("Accept", "text/html"))));
            Assert.Equal(400, (await PutTextAsync(Gateway, path, body.ToJsonString(), cookie, ("Origin", "https://evil.example"))).Status);
            Assert.Equal(400, (await Gateway.PostFormAsync(path, body.ToDictionary(f => f.Key, f => (string)f.Value!), cookie)).Status);
        }
        Assert.Equal(["AccountCreated"], await running.EventsAsync(id));
    }

    // A forgotten password

    [Fact]
    public async Task whoever_has_the_link_chooses_another_password_once_and_all_sessions_end()
    {
        var (email, id, _) = await running.SignUpAsync();
        await running.ActivateAsync(id);
        var session = await running.SignInAsync(email);
        Assert.Equal(202, (await AskAsync($" {email.ToUpperInvariant()}")).Status);
        var token = await running.LinkAsync($"password-reset-*.{id}");
        // A scanner that opens it changes nothing, and the page does not tell others where it was.
        var page = await Gateway.GetAsync($"/password-reset?token={token}");
        Assert.Equal((200, "no-referrer"), (page.Status, page.Header("Referrer-Policy")));

        Assert.Equal(400, (await ChooseAsync(token, "short")).Status);
        Assert.Equal(400, (await ChooseAsync(token, email)).Status);
        Assert.Equal(204, (await ChooseAsync(token, Another)).Status);

        Assert.Equal((401, 200), ((await running.SignInAsync(email)).Status, (await running.SignInAsync(email, Another)).Status));
        Assert.Equal(401, (await Gateway.GetAsync("/account", Bearer(session))).Status);
        foreach (var password in new[] { Another, Third })
        {
            var again = await ChooseAsync(token, password);
            Assert.Equal((400, true), (again.Status, again.Type!.EndsWith("/token-used", StringComparison.Ordinal)));
        }
        Assert.Equal(["AccountCreated", "AccountActivated", "PasswordResetRequested", "PasswordChanged"], await running.EventsAsync(id));
        Assert.Contains($"To: {email}", await running.MailAsync($"password-changed-*.{id}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task a_link_is_dead_once_the_password_was_changed_otherwise()
    {
        var (email, id, _) = await running.SignUpAsync();
        Assert.Equal(202, (await AskAsync(email)).Status);
        var token = await running.LinkAsync($"password-reset-*.{id}");
        Assert.Equal(204, (await PutAsync("/account/password", new() { ["current"] = Password, ["new"] = Another }, Bearer(await running.SignInAsync(email)))).Status);
        Assert.Equal(400, (await ChooseAsync(token, Third)).Status);
        Assert.Equal(200, (await running.SignInAsync(email, Another)).Status);
    }

    [Fact]
    public async Task what_is_no_link_is_told_from_one_that_is_over()
    {
        var (_, id, _) = await running.SignUpAsync();
        foreach (var (token, type) in new[]
        {
            ("nonsense", "/token-invalid"), (running.Tokens.Issue("activation", id, DateTimeOffset.UtcNow.AddHours(1)), "/token-invalid"), (running.Tokens.Issue("password reset", id, DateTimeOffset.UtcNow.AddSeconds(-1)), "/token-expired"),
            (running.Tokens.Issue("password reset", Guid.NewGuid(), DateTimeOffset.UtcNow.AddHours(1)), "/token-used"),
        })
        {
            var answer = await ChooseAsync(token, Another);
            Assert.Equal((400, true), (answer.Status, answer.Type!.EndsWith(type, StringComparison.Ordinal)));
            if (type != "/token-used") Assert.Equal(400, (await Gateway.GetAsync($"/password-reset?token={token}")).Status);
        }
        Assert.Equal(["AccountCreated"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task whether_there_is_an_account_is_said_to_nobody()
    {
        var (email, id, _) = await running.SignUpAsync();
        var (there, nowhere) = (await AskAsync(email), await AskAsync(NewEmail()));
        Assert.Equal((202, ""), (there.Status, there.Text));
        Assert.Equal((there.Status, there.Text, Names(there)), (nowhere.Status, nowhere.Text, Names(nowhere)));
        await Wait.UntilAsync(async () => (await running.EventsAsync(id)).SequenceEqual(["AccountCreated", "PasswordResetRequested"]), "the link is asked for");

        static string Names(Answer answer) => string.Join(' ', answer.Headers.Concat(answer.ContentHeaders).Select(h => h.Key).Order());
    }

    [Fact]
    public async Task nor_does_the_time_tell_it()
    {
        var (email, _, _) = await running.SignUpAsync();
        var (there, nowhere) = (new List<double>(), new List<double>());
        for (var n = 0; n < 220; n++)
        {
            var isThere = n % 2 == 0;
            var begun = Stopwatch.GetTimestamp();
            Assert.Equal(202, (await AskAsync(isThere ? email : NewEmail())).Status);
            // The first are slower, whichever they are.
            if (n >= 20) (isThere ? there : nowhere).Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        Assert.InRange(Statistics.Welch(there, nowhere), -4.5, 4.5);
    }

    [Fact]
    public async Task one_client_may_ask_so_often_and_no_more_and_what_is_no_address_is_said()
    {
        using var gateway = await running.AnotherAsync(("RateLimiting__SignInsPerMinute", "2"));
        for (var n = 0; n < 2; n++) Assert.Equal(202, (await gateway.PostJsonAsync("/password-resets", Ask(NewEmail()))).Status);
        Assert.Equal(429, (await gateway.PostJsonAsync("/password-resets", Ask(NewEmail()))).Status);
        Assert.Equal(400, (await Gateway.PostJsonAsync("/password-resets", Ask("zoe"))).Status);
        Assert.Equal(400, (await Gateway.PostJsonAsync("/password-resets", "{}")).Status);
    }

    [Fact]
    public async Task however_often_it_is_asked_for_a_stranger_gets_only_a_few_mails()
    {
        var (email, id, _) = await running.SignUpAsync();
        await running.ActivateAsync(id);
        using var gateway = await running.AnotherAsync(("PasswordResets__Lifetime", "00:30:00"));
        // Of two within a second one is the other.
        var seconds = 0L;
        for (var n = 0; n < 5; n++)
        {
            await Wait.UntilAsync(() => Task.FromResult(DateTimeOffset.UtcNow.ToUnixTimeSeconds() > seconds), "a second has passed");
            seconds = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            Assert.Equal(202, (await gateway.PostJsonAsync("/password-resets", Ask(email))).Status);
        }
        await Wait.UntilAsync(() => Task.FromResult(Directory.GetFiles(running.System.MailPickup, $"*password-reset-*.{id}.eml").Length == 3), "three mails are there");
        using var query = running.System.Client("Query");
        var links = JsonNode.Parse(await query.GetStringAsync($"accounts/{id}/events"))!.AsArray().Where(e => (string)e!["type"]! == "PasswordResetRequested").Select(e => e!["data"]!).ToList();
        Assert.Equal(3, links.Count);
        Assert.All(links, link => Assert.InRange((DateTimeOffset)link["expiresAt"]! - (DateTimeOffset)link["requestedAt"]!, TimeSpan.FromMinutes(29.9), TimeSpan.FromMinutes(30)));
    }

    // Pages

    [Fact]
    public async Task the_pages_do_the_same()
    {
        var (email, id, _) = await running.SignUpAsync();
        var session = CookieOf(await running.SignInAsync(email));

        var done = await Gateway.SubmitAsync("/account/username", new() { ["username"] = $"Zoë {id}" }, session);
        Assert.Equal((303, "/account?changed=username"), Where(done));
        Assert.Contains("role=\"status\"", (await Gateway.GetAsync("/account?changed=username", session, ("Accept", "text/html"))).Text, StringComparison.Ordinal);
        var wrong = await Gateway.SubmitAsync("/account/password", new() { ["current"] = Third, ["new"] = Another }, session);
        Assert.Equal(401, wrong.Status);
        Assert.DoesNotContain("horse", wrong.Text, StringComparison.Ordinal);
        Assert.Equal((303, "/account?changed=password"), Where(await Gateway.SubmitAsync("/account/password", new() { ["current"] = Password, ["new"] = Another }, session)));

        Assert.Equal(400, (await Gateway.SubmitAsync("/forgot-password", new() { ["email"] = "zoe" })).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync("/forgot-password", new Dictionary<string, string> { ["email"] = email })).Status);
        var asked = await Gateway.SubmitAsync("/forgot-password", new() { ["email"] = email });
        Assert.Equal(202, asked.Status);
        Assert.Contains("60 minutes", asked.Text, StringComparison.Ordinal);
        var token = await running.LinkAsync($"password-reset-*.{id}");
        var weak = await Gateway.SubmitAsync($"/password-reset?token={token}", new() { ["password"] = "password1" });
        Assert.Equal((400, token), (weak.Status, HiddenIn(weak.Text)["token"]));
        Assert.Equal((303, "/sign-in?password-reset=done"), Where(await Gateway.SubmitAsync($"/password-reset?token={token}", new() { ["password"] = Third })));
        Assert.Contains("role=\"status\"", (await Gateway.GetAsync("/sign-in?password-reset=done")).Text, StringComparison.Ordinal);
        Assert.Equal(200, (await running.SignInAsync(email, Third)).Status);
        var used = await Gateway.SubmitAsync($"/password-reset?token={token}", new() { ["password"] = Password });
        Assert.Equal(400, used.Status);
        Assert.Contains("href=\"/forgot-password\"", used.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task nothing_that_is_shown_of_it_holds_a_hash()
    {
        var (email, id, _) = await running.SignUpAsync();
        Assert.Equal(204, (await PutAsync("/account/password", new() { ["current"] = Password, ["new"] = Another }, Bearer(await running.SignInAsync(email)))).Status);
        using var query = running.System.Client("Query");
        foreach (var path in new[] { $"accounts/{id}", $"accounts/{id}/events", "log?after=0&limit=1000" }) Assert.DoesNotContain("$argon2", await query.GetStringAsync(path), StringComparison.Ordinal);
    }

    private Task<Answer> PutAsync(string path, JsonObject body, params (string, string)[] headers) => PutAsync(Gateway, path, body, headers);

    private static Task<Answer> PutAsync(GatewayHttp gateway, string path, JsonObject body, params (string, string)[] headers) => PutTextAsync(gateway, path, body.ToJsonString(), headers);

    private static Task<Answer> PutTextAsync(GatewayHttp gateway, string path, string body, params (string, string)[] headers) =>
        gateway.SendJsonAsync(HttpMethod.Put, path, body, headers);

    private static string Ask(string email) => new JsonObject { ["email"] = email }.ToJsonString();

    private Task<Answer> AskAsync(string email) => Gateway.PostJsonAsync("/password-resets", Ask(email));

    private Task<Answer> ChooseAsync(string token, string password) => PutAsync("/password-resets", new() { ["token"] = token, ["password"] = password });
}
