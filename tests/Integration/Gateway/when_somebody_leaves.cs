using System.Text.Json.Nodes;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Gateway;

public sealed class when_somebody_leaves(when_somebody_leaves.Running running) : IClassFixture<when_somebody_leaves.Running>
{
    private const string Another = "another horse battery";

    public sealed class Running() : SystemWithGateway("leaving");

    private GatewayHttp Gateway => running.Gateway;

    [Fact]
    public async Task the_address_is_free_and_whoever_was_signed_in_is_so_no_more()
    {
        var (email, id, session) = await running.ActiveAsync();
        var elsewhere = Bearer(await running.SignInAsync(email));
        var deleted = await running.DeleteAsync(session);
        Assert.Equal((204, ""), (deleted.Status, deleted.Text));

        foreach (var ended in new[] { session, elsewhere }) Assert.Equal(401, (await Gateway.GetAsync("/account", ended)).Status);
        Assert.Equal(401, (await running.DeleteAsync(session)).Status);
        Assert.Equal(401, (await running.SignInAsync(email)).Status);
        Assert.Equal(["AccountCreated", "AccountActivated", "AccountDeleted"], await running.EventsAsync(id));
        Assert.Contains($"To: {email}", await running.MailAsync($"account-deleted-*.{id}"), StringComparison.Ordinal);

        var again = await Gateway.PostJsonAsync("/users", Body(email));
        Assert.Equal(201, again.Status);
        Assert.NotEqual($"{id}", (string?)again.Json["id"]);
        Assert.Equal(409, (await Gateway.PostJsonAsync("/users", Body(email))).Status);
        Assert.Equal(200, (await running.SignInAsync(email)).Status);
    }

    [Fact]
    public async Task links_that_were_sent_do_nothing_any_more_and_an_address_that_was_wanted_is_free_too()
    {
        var (email, id, session) = await running.ActiveAsync();
        var wanted = NewEmail();
        Assert.Equal(202, (await Gateway.PostJsonAsync("/account/email", new JsonObject { ["email"] = wanted, ["password"] = Password }.ToJsonString(), session)).Status);
        Assert.Equal(202, (await Gateway.PostJsonAsync("/password-resets", new JsonObject { ["email"] = email }.ToJsonString())).Status);
        var (change, reset) = (await running.LinkAsync($"email-confirmation-*.{id}"), await running.LinkAsync($"password-reset-*.{id}"));
        Assert.Equal(204, (await running.DeleteAsync(session)).Status);

        Assert.Equal(400, (await Gateway.PostJsonAsync("/email-changes", new JsonObject { ["token"] = change }.ToJsonString())).Status);
        Assert.Equal(400, (await Gateway.SendJsonAsync(HttpMethod.Put, "/password-resets", new JsonObject { ["token"] = reset, ["password"] = Another }.ToJsonString())).Status);
        Assert.Equal(201, (await Gateway.PostJsonAsync("/users", Body(wanted))).Status);
        Assert.Equal("AccountDeleted", (await running.EventsAsync(id))[^1]);
    }

    [Fact]
    public async Task an_account_that_is_not_active_yet_stays_until_it_is()
    {
        var (email, id, _) = await running.SignUpAsync();
        var signedIn = await running.SignInAsync(email);
        var refused = await running.DeleteAsync(Bearer(signedIn));
        Assert.Equal((409, true), (refused.Status, refused.Type!.EndsWith("/not-active", StringComparison.Ordinal)));
        Assert.DoesNotContain("/account/delete", (await Gateway.GetAsync("/account", CookieOf(signedIn), ("Accept", "text/html"))).Text, StringComparison.Ordinal);
        Assert.Equal(409, (await Gateway.PostJsonAsync("/users", Body(email))).Status);

        await running.ActivateAsync(id);
        Assert.Equal(204, (await running.DeleteAsync(Bearer(signedIn))).Status);
        Assert.Equal(["AccountCreated", "AccountActivated", "AccountDeleted"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task asked_for_many_times_at_once_it_happens_once()
    {
        var (_, id, session) = await running.ActiveAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => running.DeleteAsync(session)));
        Assert.Contains(answers, a => a.Status == 204);
        // Whoever comes when it is gone is not signed in.
        Assert.All(answers, a => Assert.True(a.Status is 204 or 401, $"{a.Status} {a.Text}"));
        Assert.Equal(["AccountCreated", "AccountActivated", "AccountDeleted"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task who_does_not_know_the_password_waits_longer_each_time_and_deletes_nothing()
    {
        var (email, id, session) = await running.ActiveAsync();
        using var gateway = await running.AnotherAsync(("RateLimiting__SignInsPerMinute", "10000"));
        for (var n = 0; n < 5; n++)
        {
            var wrong = await running.DeleteAsync(session, Another, gateway);
            Assert.Equal((401, true), (wrong.Status, wrong.Type!.EndsWith("/password-wrong", StringComparison.Ordinal)));
            Assert.NotNull(wrong.Json["errors"]!["password"]);
        }
        var refused = await running.DeleteAsync(session, Password, gateway);
        Assert.Equal((429, "1"), (refused.Status, refused.Header("Retry-After")));
        Assert.Equal(["AccountCreated", "AccountActivated"], await running.EventsAsync(id));
        Assert.Equal(200, (await running.SignInAsync(email)).Status);
    }

    [Fact]
    public async Task what_cannot_be_done_is_said_and_nothing_happens()
    {
        var (email, id, session) = await running.ActiveAsync();
        foreach (var body in new JsonObject[] { [], new() { ["password"] = 1 }, new() { ["password"] = "" } })
        {
            var answer = await Gateway.SendJsonAsync(HttpMethod.Delete, "/account", body.ToJsonString(), session);
            Assert.Equal((400, "password"), (answer.Status, answer.Json["errors"]!.AsObject().Single().Key));
        }
        Assert.Equal(415, (await Gateway.SendAsync(HttpMethod.Delete, "/account", null, session)).Status);
        // It cannot be asked for afterwards.
        foreach (var unclear in new[] { "perhaps", "TRUE", "true&forget=false" })
        {
            var forget = await running.DeleteAsync(session, forget: unclear);
            Assert.Equal((400, true), (forget.Status, forget.Type!.EndsWith("/invalid", StringComparison.Ordinal)));
        }

        var cookie = CookieOf(await running.SignInAsync(email));
        Assert.Equal(401, (await Gateway.SendJsonAsync(HttpMethod.Delete, "/account", new JsonObject { ["password"] = Password }.ToJsonString())).Status);
        Assert.Equal((303, "/sign-in"), Where(await Gateway.GetAsync("/account/delete", ("Accept", "text/html"))));
        Assert.Equal(400, (await Gateway.SendJsonAsync(HttpMethod.Delete, "/account", new JsonObject { ["password"] = Password }.ToJsonString(), cookie, ("Origin", "https://evil.example"))).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync("/account/delete", new Dictionary<string, string> { ["password"] = Password }, cookie)).Status);
        Assert.Equal(["AccountCreated", "AccountActivated"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task the_page_does_the_same()
    {
        var (email, id, _) = await running.ActiveAsync();
        var session = CookieOf(await running.SignInAsync(email));
        Assert.Contains("href=\"/account/delete\"", (await Gateway.GetAsync("/account", session, ("Accept", "text/html"))).Text, StringComparison.Ordinal);
        var wrong = await Gateway.SubmitAsync("/account/delete", new() { ["password"] = Another }, session);
        Assert.Equal(401, wrong.Status);
        Assert.DoesNotContain(Another, wrong.Text, StringComparison.Ordinal);

        var done = await Gateway.SubmitAsync("/account/delete", new() { ["password"] = Password }, session);
        Assert.Equal(200, done.Status);
        Assert.Contains(done.Headers.GetValues("Set-Cookie"), c => c.StartsWith("session=;", StringComparison.Ordinal));
        Assert.Equal((303, "/sign-in"), Where(await Gateway.GetAsync("/account", session, ("Accept", "text/html"))));
        Assert.Equal(["AccountCreated", "AccountActivated", "AccountDeleted"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task before_that_one_can_take_all_along_that_is_kept_but_the_password()
    {
        var (email, id, session) = await running.ActiveAsync();
        var name = $"Countess {Guid.NewGuid():N}";
        Assert.Equal(204, (await Gateway.SendJsonAsync(HttpMethod.Put, "/account/username", new JsonObject { ["username"] = name }.ToJsonString(), session)).Status);

        var export = await Gateway.GetAsync("/account/export", session);
        Assert.Equal((200, "attachment; filename=\"account.json\"", "application/json", "no-store"), (export.Status, export.Header("Content-Disposition"), export.ContentHeaders.ContentType?.MediaType, export.Header("Cache-Control")));
        var account = export.Json["account"]!;
        Assert.Equal(($"{id}", email, name, "active", "en"), ((string?)account["id"], (string?)account["email"], (string?)account["username"], (string?)account["status"], (string?)account["language"]));
        var events = export.Json["events"]!.AsArray();
        Assert.Equal(["AccountCreated", "AccountActivated", "UsernameChanged"], events.Select(e => (string)e!["type"]!).Where(t => !t.Contains("Mail", StringComparison.Ordinal)));
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(e => (int)e!["version"]!));
        Assert.All(events, e => Assert.Equal($"{id}", (string?)e!["streamId"]));
        Assert.Equal(email, (string?)events[0]!["data"]!["email"]);
        foreach (var secret in new[] { "argon2", "asswordHash" }) Assert.DoesNotContain(secret, export.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task nobody_else_can()
    {
        var (_, id, _) = await running.ActiveAsync();
        var (_, other, others) = await running.ActiveAsync();
        Assert.Equal(401, (await Gateway.GetAsync("/account/export")).Status);
        Assert.Equal((303, "/sign-in"), Where(await Gateway.GetAsync("/account/export", ("Accept", "text/html"))));
        var export = await Gateway.GetAsync("/account/export", others);
        Assert.Contains($"{other}", export.Text, StringComparison.Ordinal);
        Assert.DoesNotContain($"{id}", export.Text, StringComparison.Ordinal);
    }
}
