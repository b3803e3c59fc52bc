using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Gateway;

public sealed partial class when_somebody_signs_in(when_somebody_signs_in.Running running) : IClassFixture<when_somebody_signs_in.Running>
{
    public sealed class Running() : SystemWithGateway("signin", ("ForwardedHeaders__KnownProxies", "127.0.0.1"));

    private GatewayHttp Gateway => running.Gateway;

    [Fact]
    public async Task address_and_password_give_a_token_and_a_cookie_that_show_the_account_at_once()
    {
        var (email, id, name) = await running.SignUpAsync();

        var answer = await SignInAsync(Gateway, $" {email.ToUpperInvariant()}");

        Assert.Equal(200, answer.Status);
        Assert.Equal(($"{id}", name, email, "pending"), ((string?)answer.Json["account"]!["id"], (string?)answer.Json["account"]!["username"], (string?)answer.Json["account"]!["email"], (string?)answer.Json["account"]!["status"]));
        Assert.InRange((DateTimeOffset)answer.Json["expiresAt"]! - DateTimeOffset.UtcNow, TimeSpan.FromDays(13.9), TimeSpan.FromDays(14.1));
        foreach (var proof in new[] { Bearer(answer), CookieOf(answer) })
        {
            var account = await Gateway.GetAsync("/account", proof);
            Assert.Equal((200, $"{id}", email), (account.Status, (string?)account.Json["id"], (string?)account.Json["email"]));
            Assert.DoesNotContain("sessions", account.Text, StringComparison.OrdinalIgnoreCase);
            Assert.Contains(email, (await Gateway.GetAsync("/account", proof, ("Accept", "text/html"))).Text, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("$argon2", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task whatever_is_wrong_the_answer_is_the_same()
    {
        var (email, _, _) = await running.SignUpAsync();
        var (gone, _, session) = await running.ActiveAsync();
        Assert.Equal(204, (await running.DeleteAsync(session)).Status);

        var wrong = await SignInAsync(Gateway, email, "another horse battery");
        Assert.Equal((401, "Bearer"), (wrong.Status, wrong.Header("WWW-Authenticate")));
        Assert.EndsWith("/sign-in-wrong", wrong.Type, StringComparison.Ordinal);
        Assert.Null(wrong.Header("Set-Cookie"));
        foreach (var (address, password) in new[] { (NewEmail(), Password), (gone, Password), (email, "x"), (email, Password + " "), (email, Password.ToUpperInvariant()) })
        {
            var answer = await SignInAsync(Gateway, address, password);
            Assert.Equal((wrong.Status, Traceless(wrong)), (answer.Status, Traceless(answer)));
        }
    }

    [Fact]
    public async Task what_can_be_nobodys_is_said_by_field()
    {
        foreach (var (body, fields) in new[]
        {
            ("{}", "email password"), ("""{"email":"zoe","password":"x"}""", "email"), ("""{"email":"a@example.org","password":"  "}""", "password"), ("""{"email":1,"password":["x"]}""", "email password"),
            ("""{"email":"a@example.org","password":"\ud800"}""", "password"), ($$"""{"email":"a@example.org","password":"{{new string('x', 257)}}"}""", "password"),
        })
        {
            var answer = await Gateway.PostJsonAsync("/sessions", body);
            Assert.Equal((body, 400, fields), (body, answer.Status, string.Join(' ', answer.Json["errors"]!.AsObject().Select(e => e.Key))));
        }
        Assert.Equal(400, (await Gateway.PostJsonAsync("/sessions", "[]")).Status);
        Assert.Equal(413, (await Gateway.PostJsonAsync("/sessions", new string(' ', 20_000))).Status);
        Assert.Equal(415, (await Gateway.SendAsync(HttpMethod.Post, "/sessions", new StringContent("{}"))).Status);
    }

    [Fact]
    public async Task without_a_session_there_is_nothing_to_see()
    {
        foreach (var headers in new (string, string)[][] { [], [("Authorization", "Bearer nonsense")], [("Cookie", "session=nonsense")] })
        {
            var answer = await Gateway.GetAsync("/account", headers);
            Assert.Equal((401, "Bearer"), (answer.Status, answer.Header("WWW-Authenticate")));
            Assert.Equal((303, "/sign-in"), Where(await Gateway.GetAsync("/account", [.. headers, ("Accept", "text/html")])));
            Assert.Equal(401, (await Gateway.SendAsync(HttpMethod.Delete, "/sessions", null, headers)).Status);
            Assert.Equal(401, (await Gateway.SendAsync(HttpMethod.Delete, "/sessions/current", null, headers)).Status);
        }
    }

    [Fact]
    public async Task signing_out_ends_this_session_wherever_its_token_is_and_no_other()
    {
        var (email, id, _) = await running.SignUpAsync();
        var (one, other) = (await SignInAsync(Gateway, email), await SignInAsync(Gateway, email));

        for (var n = 0; n < 2; n++) Assert.Equal(204, (await Gateway.SendAsync(HttpMethod.Delete, "/sessions/current", null, Bearer(one))).Status);

        Assert.Equal(401, (await Gateway.GetAsync("/account", Bearer(one))).Status);
        Assert.Equal(401, (await Gateway.GetAsync("/account", CookieOf(one))).Status);
        // What has ended ends nothing.
        Assert.Equal(401, (await Gateway.SendAsync(HttpMethod.Delete, "/sessions", null, Bearer(one))).Status);
        Assert.Equal(200, (await Gateway.GetAsync("/account", Bearer(other))).Status);
        Assert.Equal(["AccountCreated", "SignedOut"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task signing_out_everywhere_ends_all_sessions_at_every_gateway_and_is_a_fact()
    {
        var (email, id, _) = await running.SignUpAsync();
        var sessions = new[] { await SignInAsync(Gateway, email), await SignInAsync(Gateway, email) };
        using var other = await running.AnotherAsync();
        Assert.Equal(200, (await other.GetAsync("/account", Bearer(sessions[1]))).Status);

        Assert.Equal(204, (await Gateway.SendAsync(HttpMethod.Delete, "/sessions", null, CookieOf(sessions[0]))).Status);

        foreach (var session in sessions) Assert.Equal((401, 401), ((await Gateway.GetAsync("/account", Bearer(session))).Status, (await other.GetAsync("/account", Bearer(session))).Status));
        Assert.Equal(["AccountCreated", "SignedOutEverywhere"], await running.EventsAsync(id));
        var anew = await SignInAsync(other, email);
        Assert.Equal(200, (await Gateway.GetAsync("/account", Bearer(anew))).Status);
    }

    [Fact]
    public async Task another_site_cannot_sign_a_browser_out()
    {
        var session = await SignInAsync(Gateway, (await running.SignUpAsync()).Email);
        foreach (var path in new[] { "/sessions", "/sessions/current" })
            Assert.Equal(400, (await Gateway.SendAsync(HttpMethod.Delete, path, null, CookieOf(session), ("Origin", "https://evil.example"))).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync("/sign-out", new Dictionary<string, string>(), CookieOf(session))).Status);
        Assert.Equal(200, (await Gateway.GetAsync("/account", CookieOf(session))).Status);
    }

    [Fact]
    public async Task an_address_that_somebody_has_taken_over_opens_the_account_that_has_it_now()
    {
        var (email, first, session) = await running.ActiveAsync();
        Assert.Equal(204, (await running.DeleteAsync(session)).Status);
        Assert.Equal(201, (await Gateway.PostJsonAsync("/users", Body(email, password: "another horse battery"))).Status);

        Assert.Equal(401, (await SignInAsync(Gateway, email)).Status);
        var second = await SignInAsync(Gateway, email, "another horse battery");
        Assert.NotEqual($"{first}", (string?)second.Json["account"]!["id"]);
        Assert.Equal(401, (await Gateway.GetAsync("/account", session)).Status);
    }

    [Fact]
    public async Task a_hash_that_cost_something_else_is_made_anew_once()
    {
        var (email, id, _) = await running.SignUpAsync();
        using var gateway = await running.AnotherAsync(("PasswordHashing__MemoryKiB", "64"));

        var session = await SignInAsync(gateway, email);
        Assert.Equal(200, session.Status);
        await Wait.UntilAsync(async () => (await running.EventsAsync(id)).SequenceEqual(["AccountCreated", "PasswordRehashed"]), "the hash is made anew");
        Assert.Contains("m=64,t=1", (await running.System.Database.EventsAsync<Signup.EventLog.Accounts.PasswordRehashed>()).Single(e => e.Event.StreamId == id).Happened.PasswordHash, StringComparison.Ordinal);

        Assert.Equal((200, 401), ((await SignInAsync(gateway, email)).Status, (await SignInAsync(gateway, email, "another horse battery")).Status));
        Assert.Equal(["AccountCreated", "PasswordRehashed"], await running.EventsAsync(id));
        Assert.Equal(200, (await gateway.GetAsync("/account", Bearer(session))).Status);
        // Where the hash is to cost less again, the one there is counts all the same.
        Assert.Equal(200, (await SignInAsync(Gateway, email)).Status);
    }

    [Fact]
    public async Task who_guesses_waits_longer_each_time_and_keeps_nobody_else_out()
    {
        var (email, _, _) = await running.SignUpAsync();
        using var gateway = await running.AnotherAsync(("RateLimiting__SignInsPerMinute", "10000"));
        var known = await SignInAsync(gateway, email, Password, "192.0.2.1");
        var device = ("Cookie", known.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("device=", StringComparison.Ordinal)).Split(';')[0]);

        // There or not, one waits the same.
        foreach (var address in new[] { email, NewEmail() })
        {
            for (var n = 0; n < 5; n++) Assert.Equal(401, (await SignInAsync(gateway, address, "another horse battery", "192.0.2.1")).Status);
            var refused = await SignInAsync(gateway, address, Password, "192.0.2.1");
            Assert.Equal((429, "1"), (refused.Status, refused.Header("Retry-After")));
            Assert.EndsWith("/too-many-sign-ins", refused.Type, StringComparison.Ordinal);
        }
        Assert.Equal(200, (await SignInAsync(gateway, email, Password, "198.51.100.7")).Status);
        Assert.Equal(200, (await SignInAsync(gateway, email, Password, "192.0.2.1", device)).Status);
    }

    [Fact]
    public async Task one_client_may_try_so_often_a_minute_and_no_more()
    {
        using var gateway = await running.AnotherAsync(("RateLimiting__SignInsPerMinute", "3"));
        for (var n = 0; n < 3; n++) Assert.Equal(401, (await SignInAsync(gateway, NewEmail())).Status);
        Assert.Equal(429, (await SignInAsync(gateway, NewEmail())).Status);
        Assert.Equal(401, (await SignInAsync(gateway, NewEmail(), Password, "198.51.100.8")).Status);
    }

    [Fact]
    public async Task nobody_can_tell_by_the_time_whether_there_is_an_account()
    {
        // As hashes cost in earnest, without which a difference would be easier to see, but none that anybody meets.
        using var gateway = await running.AnotherAsync(("PasswordHashing__MemoryKiB", "19456"), ("PasswordHashing__Passes", "2"));
        var email = NewEmail();
        Assert.Equal(201, (await gateway.PostJsonAsync("/users", Body(email))).Status);
        var (there, nowhere) = (new List<double>(), new List<double>());
        for (var n = 0; n < 110; n++)
        {
            var isThere = n % 2 == 0;
            var begun = Stopwatch.GetTimestamp();
            Assert.Equal(401, (await SignInAsync(gateway, isThere ? email : NewEmail(), "another horse battery")).Status);
            // The first are slower, whichever they are.
            if (n >= 10) (isThere ? there : nowhere).Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        Assert.InRange(Statistics.Welch(there, nowhere), -4.5, 4.5);
    }

    [Fact]
    public async Task the_pages_do_the_same()
    {
        var (email, _, _) = await running.SignUpAsync();
        var wrong = await PostSignInFormAsync(email, "another horse battery");
        Assert.Equal(401, wrong.Status);
        Assert.Contains($"value=\"{email}\"", wrong.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("another horse", wrong.Text, StringComparison.Ordinal);
        Assert.Equal(400, (await PostSignInFormAsync("zoe", "")).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync("/sign-in", new Dictionary<string, string> { ["email"] = email, ["password"] = Password })).Status);

        var right = await PostSignInFormAsync(email, Password);
        Assert.Equal((303, "/account"), Where(right));
        foreach (var (button, where) in new[] { (0, "/sign-in?signed-out=here"), (1, "/sign-in?signed-out=everywhere") })
        {
            var session = CookieOf(await SignInAsync(Gateway, email));
            var page = await Gateway.GetAsync("/account", session, ("Accept", "text/html"));
            var form = Forms().Matches(page.Text)[button].Value;
            var fields = HiddenIn(form);
            var done = await Gateway.PostFormAsync("/sign-out", fields, ("Cookie", $"{session.Item2}; {page.Cookie}"), ("Accept", "text/html"));
            Assert.Equal((303, where), Where(done));
            Assert.Contains("session=;", done.Header("Set-Cookie"), StringComparison.Ordinal);
            Assert.Equal(401, (await Gateway.GetAsync("/account", session)).Status);
            Assert.Contains("role=\"status\"", (await Gateway.GetAsync(where)).Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task nothing_that_is_published_or_shown_holds_a_hash()
    {
        var (email, id, _) = await running.SignUpAsync();
        using var query = running.System.Client("Query");
        using var accounts = running.System.Client("Accounts");
        foreach (var path in new[] { $"accounts/{id}", $"accounts/{id}/events", $"accounts?email={Uri.EscapeDataString(email)}" })
            Assert.DoesNotContain("$argon2", await query.GetStringAsync(path), StringComparison.Ordinal);
        var stored = (await running.System.Database.EventsAsync<Signup.EventLog.Accounts.AccountCreated>()).Single(e => e.Event.StreamId == id).Happened.PasswordHash;
        var answer = JsonNode.Parse(await accounts.GetStringAsync($"sign-ins/{id}/salt"))!.AsObject();
        Assert.Equal(("salt", stored[..stored.LastIndexOf('$')]), (answer.Single().Key, (string?)answer["salt"]));
        using var nobody = new HttpClient { BaseAddress = accounts.BaseAddress };
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await nobody.GetAsync($"sign-ins/{id}/salt")).StatusCode);
        using var claims = new HttpClient { BaseAddress = new(running.System.UniquenessUrl) };
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await claims.GetAsync($"holders/email?value={Uri.EscapeDataString(email)}")).StatusCode);
    }

    [Theory]
    [InlineData("{}", "application/json; charset=utf8", 200)]
    [InlineData("{}", "text/plain; charset=klingon", 200)]
    [InlineData("{", "application/json", 400)]
    [InlineData("null", "application/json", 400)]
    [InlineData("{\"email\": 1}", "application/json", 400)]
    [InlineData("\u00FF", "application/json", 400)]
    public async Task accounts_reads_json_whatever_it_is_called_and_says_when_it_is_none(string body, string type, int status)
    {
        using var accounts = running.System.Client("Accounts");
        using var content = new ByteArrayContent(System.Text.Encoding.Latin1.GetBytes(body));
        Assert.True(content.Headers.TryAddWithoutValidation("Content-Type", type));
        using var answer = await accounts.PostAsync($"sign-ins/{Guid.NewGuid()}", content);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    private static Task<Answer> SignInAsync(GatewayHttp gateway, string email, string password = Password, string? from = null, params (string, string)[] headers) =>
        gateway.PostJsonAsync("/sessions", new JsonObject { ["email"] = email, ["password"] = password }.ToJsonString(), from is null ? headers : [.. headers, ("X-Forwarded-For", from)]);

    private async Task<Answer> PostSignInFormAsync(string email, string password)
    {
        var page = await Gateway.GetAsync("/sign-in");
        var fields = HiddenIn(page.Text);
        (fields["email"], fields["password"]) = (email, password);
        return await Gateway.PostFormAsync("/sign-in", fields, ("Cookie", page.Cookie));
    }

    private async Task<string> ScalarAsync(string sql, Guid id)
    {
        await using var command = running.System.Database.CreateCommand(sql);
        command.Parameters.AddWithValue(id);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private static string Traceless(Answer answer)
    {
        var json = answer.Json;
        json.Remove("traceId");
        return json.ToJsonString();
    }

    [GeneratedRegex("(?s)<form.*?</form>")]
    private static partial Regex Forms();
}
