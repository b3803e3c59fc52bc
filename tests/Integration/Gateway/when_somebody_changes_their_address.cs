using System.Text.Json.Nodes;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Gateway;

public sealed class when_somebody_changes_their_address(when_somebody_changes_their_address.Running running) : IClassFixture<when_somebody_changes_their_address.Running>
{
    private const string Another = "another horse battery";

    public sealed class Running() : SystemWithGateway("address", ("ForwardedHeaders__KnownProxies", "127.0.0.1"));

    private GatewayHttp Gateway => running.Gateway;

    [Fact]
    public async Task the_account_has_the_new_one_once_the_button_behind_the_link_is_pressed_and_the_old_one_is_free()
    {
        var (old, id, session) = await running.ActiveAsync();
        var email = NewEmail();
        Assert.Equal((202, ""), (await AskAsync(email, session)) is { } asked ? (asked.Status, asked.Text) : default);

        Assert.Contains($"To: {email}", await running.MailAsync($"email-confirmation-*.{id}"), StringComparison.Ordinal);
        var notice = await running.MailAsync($"email-change-requested-*.{id}");
        Assert.Contains($"To: {old}", notice, StringComparison.Ordinal);
        Assert.DoesNotContain(email, notice, StringComparison.Ordinal);
        var token = await running.LinkAsync($"email-confirmation-*.{id}");
        // A scanner that opens it changes nothing, and the page does not tell others where it was.
        var page = await Gateway.GetAsync($"/email-change?token={token}");
        Assert.Equal((200, "no-referrer"), (page.Status, page.Header("Referrer-Policy")));
        Assert.Equal((200, 401), ((await running.SignInAsync(old)).Status, (await running.SignInAsync(email)).Status));

        for (var n = 0; n < 2; n++)
        {
            var confirmed = await ConfirmAsync(token);
            Assert.Equal((200, $"{id}"), (confirmed.Status, (string?)confirmed.Json["id"]));
        }
        Assert.Equal((401, 200), ((await running.SignInAsync(old)).Status, (await running.SignInAsync(email)).Status));
        Assert.Equal(email, (string?)(await Gateway.GetAsync("/account", session)).Json["email"]);
        Assert.Equal(["AccountCreated", "AccountActivated", "EmailChangeRequested", "EmailChanged"], await running.EventsAsync(id));
        Assert.Contains($"To: {old}", await running.MailAsync($"email-changed-*.{id}"), StringComparison.Ordinal);
        Assert.Equal((201, 409), ((await SignUpAsync(old)).Status, (await SignUpAsync(email)).Status));
    }

    [Fact]
    public async Task one_that_is_taken_or_wanted_by_somebody_else_is_refused()
    {
        var (_, _, session) = await running.ActiveAsync();
        var (other, otherId, others) = await running.ActiveAsync();
        var email = NewEmail();
        Assert.Equal(202, (await AskAsync(email, session)).Status);
        foreach (var taken in new[] { (await running.ActiveAsync()).Email, email.ToUpperInvariant() })
        {
            var answer = await AskAsync(taken, others);
            Assert.Equal((409, true), (answer.Status, answer.Type!.EndsWith("/email-taken", StringComparison.Ordinal)));
            Assert.NotNull(answer.Json["errors"]!["email"]);
            Assert.Equal(409, (await SignUpAsync(taken)).Status);
        }
        Assert.Equal(["AccountCreated", "AccountActivated"], await running.EventsAsync(otherId));
        Assert.Equal(200, (await running.SignInAsync(other)).Status);
        // It is nobody's to sign in with yet.
        Assert.Equal(401, (await running.SignInAsync(email)).Status);
    }

    [Fact]
    public async Task once_the_link_is_over_it_is_free_and_whoever_comes_late_is_told()
    {
        using var gateway = await running.AnotherAsync(("EmailChanges__Lifetime", "00:00:02"));
        var (_, id, session) = await running.ActiveAsync();
        var email = NewEmail();
        Assert.Equal(202, (await AskAsync(email, session, gateway)).Status);
        var token = running.Tokens.Issue("email change", id, DateTimeOffset.UtcNow.AddHours(1), 1);
        await Wait.UntilAsync(async () => (await SignUpAsync(email)).Status == 201, "the address is free");
        var late = await ConfirmAsync(token);
        Assert.Equal((400, true), (late.Status, late.Type!.EndsWith("/token-outdated", StringComparison.Ordinal)));
        Assert.Equal(["AccountCreated", "AccountActivated", "EmailChangeRequested"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task where_somebody_else_has_it_by_then_both_keep_what_they_have()
    {
        var (old, id, session) = await running.ActiveAsync();
        var email = NewEmail();
        Assert.Equal(202, (await AskAsync(email, session)).Status);
        // As it is where the clocks of gateway and database do not agree: the link is valid, and the reservation over.
        await using (var command = running.System.Database.CreateCommand($"update uniqueness.claims set until = now() where stream_id = '{id}' and until is not null"))
            Assert.Equal(1, await command.ExecuteNonQueryAsync());
        Assert.Equal(201, (await SignUpAsync(email)).Status);

        var token = await running.LinkAsync($"email-confirmation-*.{id}");
        var taken = await ConfirmAsync(token);
        Assert.Equal((409, true), (taken.Status, taken.Type!.EndsWith("/email-taken", StringComparison.Ordinal)));
        Assert.Equal(409, (await Gateway.SubmitAsync($"/email-change?token={token}", [])).Status);
        Assert.Equal((200, 200), ((await running.SignInAsync(old)).Status, (await running.SignInAsync(email)).Status));
        Assert.Equal(["AccountCreated", "AccountActivated", "EmailChangeRequested"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task a_later_wish_ends_the_earlier_one_and_frees_its_address()
    {
        var (_, id, session) = await running.ActiveAsync();
        var (first, second) = (NewEmail(), NewEmail());
        Assert.Equal(202, (await AskAsync(first, session)).Status);
        var token = await running.LinkAsync($"email-confirmation-*.{id}");
        Assert.Equal(202, (await AskAsync(second, session)).Status);

        Assert.Equal(400, (await ConfirmAsync(token)).Status);
        Assert.Equal(201, (await SignUpAsync(first)).Status);
        Assert.Equal(200, (await ConfirmAsync(running.Tokens.Issue("email change", id, DateTimeOffset.UtcNow.AddHours(1), 2))).Status);
        Assert.Equal(200, (await running.SignInAsync(second)).Status);
    }

    [Fact]
    public async Task asked_for_twice_the_link_in_the_first_mail_works()
    {
        var (_, id, session) = await running.ActiveAsync();
        var email = NewEmail();
        Assert.Equal(202, (await AskAsync(email, session)).Status);
        var token = await running.LinkAsync($"email-confirmation-*.{id}");
        Assert.Equal(202, (await AskAsync(email, session)).Status);
        Assert.Equal(200, (await ConfirmAsync(token)).Status);
        Assert.Equal(200, (await running.SignInAsync(email)).Status);
    }

    [Fact]
    public async Task a_link_is_dead_once_the_password_was_changed()
    {
        var (email, id, session) = await running.ActiveAsync();
        Assert.Equal(202, (await AskAsync(NewEmail(), session)).Status);
        var changed = await Gateway.SendJsonAsync(HttpMethod.Put, "/account/password", new JsonObject { ["current"] = Password, ["new"] = Another }.ToJsonString(), session);
        Assert.Equal(204, changed.Status);
        Assert.Equal(400, (await ConfirmAsync(running.Tokens.Issue("email change", id, DateTimeOffset.UtcNow.AddHours(1), 1))).Status);
        Assert.Equal(200, (await running.SignInAsync(email, Another)).Status);
    }

    [Fact]
    public async Task the_same_address_in_other_letters_is_mailed_a_link_too_and_stays_the_account_s()
    {
        var (old, id, session) = await running.ActiveAsync();
        var email = old.ToUpperInvariant();
        Assert.Equal(202, (await AskAsync(email, session)).Status);
        Assert.Contains($"To: {email}", await running.MailAsync($"email-confirmation-*.{id}"), StringComparison.Ordinal);
        Assert.Equal(200, (await ConfirmAsync(await running.LinkAsync($"email-confirmation-*.{id}"))).Status);
        Assert.Equal(email, (string?)(await Gateway.GetAsync("/account", session)).Json["email"]);
        Assert.Equal(409, (await SignUpAsync(old)).Status);
        await using var held = running.System.Database.CreateCommand($"select count(*) from uniqueness.claims where stream_id = '{id}' and until is null");
        Assert.Equal(1L, await held.ExecuteScalarAsync());
    }

    [Fact]
    public async Task who_does_not_know_the_password_waits_longer_each_time_and_changes_nothing()
    {
        var (_, id, session) = await running.ActiveAsync();
        using var gateway = await running.AnotherAsync(("RateLimiting__SignInsPerMinute", "10000"));
        for (var n = 0; n < 5; n++)
        {
            var wrong = await AskAsync(NewEmail(), session, gateway, Another);
            Assert.Equal((401, true), (wrong.Status, wrong.Type!.EndsWith("/password-wrong", StringComparison.Ordinal)));
            Assert.NotNull(wrong.Json["errors"]!["password"]);
        }
        var refused = await AskAsync(NewEmail(), session, gateway);
        Assert.Equal((429, "1"), (refused.Status, refused.Header("Retry-After")));
        Assert.Equal(["AccountCreated", "AccountActivated"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task what_cannot_be_is_said_by_field_and_nothing_happens()
    {
        var (email, id, session) = await running.ActiveAsync();
        foreach (var (body, fields) in new[]
        {
            ("{}", "email password"), ("""{"email":"zoe","password":"x"}""", "email"), ("""{"email":["a@example.org"],"password":1}""", "email password"), ("""{"email":"a@example.org"}""", "password"),
            (Ask(email), "email"), (Ask($" {email} "), "email"),
        })
        {
            var answer = await Gateway.PostJsonAsync("/account/email", body, session);
            Assert.Equal((body, 400, fields), (body, answer.Status, string.Join(' ', answer.Json["errors"]!.AsObject().Select(e => e.Key))));
        }
        Assert.Equal(400, (await Gateway.PostJsonAsync("/account/email", "[]", session)).Status);
        Assert.Equal(["AccountCreated", "AccountActivated"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task an_account_that_is_not_active_yet_keeps_its_address()
    {
        var (email, id, _) = await running.SignUpAsync();
        var refused = await AskAsync(NewEmail(), Bearer(await running.SignInAsync(email)));
        Assert.Equal((409, true), (refused.Status, refused.Type!.EndsWith("/not-active", StringComparison.Ordinal)));
        Assert.Equal(["AccountCreated"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task without_a_session_or_from_another_site_nothing_is_changed()
    {
        var (email, id, _) = await running.ActiveAsync();
        var cookie = CookieOf(await running.SignInAsync(email));
        Assert.Equal(401, (await Gateway.PostJsonAsync("/account/email", Ask(NewEmail()))).Status);
        Assert.Equal((303, "/sign-in"), Where(await Gateway.GetAsync("/account/email", ("Accept", "text/html"))));
        Assert.Equal(400, (await Gateway.PostJsonAsync("/account/email", Ask(NewEmail()), cookie, ("Origin", "https://evil.example"))).Status);
        Assert.Equal(400, (await Gateway.PostFormAsync("/account/email", new Dictionary<string, string> { ["email"] = NewEmail(), ["password"] = Password }, cookie)).Status);
        Assert.Equal(["AccountCreated", "AccountActivated"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task strangers_get_only_a_few_mails_by_it_and_nobody_tries_many_addresses()
    {
        var (_, id, session) = await running.ActiveAsync();
        for (var n = 0; n < 5; n++) Assert.Equal(202, (await AskAsync(NewEmail(), session)).Status);
        var tooMany = await AskAsync(NewEmail(), session);
        Assert.Equal((429, true), (tooMany.Status, tooMany.Type!.EndsWith("/too-many-mails", StringComparison.Ordinal)));
        Assert.Equal(5, (await running.EventsAsync(id)).Count(t => t == "EmailChangeRequested"));

        using var gateway = await running.AnotherAsync(("RateLimiting__SignUpsPerMinute", "2"));
        var (taken, (_, _, another)) = ((await running.ActiveAsync()).Email, await running.ActiveAsync());
        foreach (var status in new[] { 409, 409, 429 }) Assert.Equal(status, (await AskAsync(taken, another, gateway)).Status);
    }

    [Fact]
    public async Task what_is_no_link_is_told_from_one_that_is_over()
    {
        var (_, id, session) = await running.ActiveAsync();
        Assert.Equal(202, (await AskAsync(NewEmail(), session)).Status);
        foreach (var (token, type) in new[]
        {
            ("nonsense", "/token-invalid"), (running.Tokens.Issue("activation", id, DateTimeOffset.UtcNow.AddHours(1), 1), "/token-invalid"), (running.Tokens.Issue("email change", id, DateTimeOffset.UtcNow.AddSeconds(-1), 1), "/token-expired"),
            (running.Tokens.Issue("email change", Guid.NewGuid(), DateTimeOffset.UtcNow.AddHours(1), 1), "/token-outdated"), (running.Tokens.Issue("email change", id, DateTimeOffset.UtcNow.AddHours(1)), "/token-outdated"),
        })
        {
            var answer = await ConfirmAsync(token);
            Assert.Equal((400, true), (answer.Status, answer.Type!.EndsWith(type, StringComparison.Ordinal)));
            if (type != "/token-outdated") Assert.Equal(400, (await Gateway.GetAsync($"/email-change?token={token}")).Status);
        }
        Assert.Equal(400, (await Gateway.PostJsonAsync("/email-changes", "{}")).Status);
        Assert.Equal(["AccountCreated", "AccountActivated", "EmailChangeRequested"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task the_pages_do_the_same()
    {
        var (old, id, _) = await running.ActiveAsync();
        var (email, session) = (NewEmail(), CookieOf(await running.SignInAsync(old)));

        var wrong = await Gateway.SubmitAsync("/account/email", new() { ["email"] = email, ["password"] = Another }, session);
        Assert.Equal(401, wrong.Status);
        Assert.Contains(email, wrong.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Another, wrong.Text, StringComparison.Ordinal);
        Assert.Equal((303, "/account?changed=email"), Where(await Gateway.SubmitAsync("/account/email", new() { ["email"] = email, ["password"] = Password }, session)));
        var account = await Gateway.GetAsync("/account?changed=email", session, ("Accept", "text/html"));
        Assert.Contains("role=\"status\"", account.Text, StringComparison.Ordinal);
        Assert.Contains(old, account.Text, StringComparison.Ordinal);

        var token = await running.LinkAsync($"email-confirmation-*.{id}");
        for (var n = 0; n < 2; n++)
        {
            var done = await Gateway.SubmitAsync($"/email-change?token={token}", []);
            Assert.Equal(200, done.Status);
            Assert.Contains("href=\"/account\"", done.Text, StringComparison.Ordinal);
        }
        Assert.Contains(email, (await Gateway.GetAsync("/account", session, ("Accept", "text/html"))).Text, StringComparison.Ordinal);
        Assert.Equal(400, (await Gateway.PostFormAsync("/email-change", new Dictionary<string, string> { ["token"] = "nonsense" }, ("Accept", "text/html"))).Status);
    }

    private Task<Answer> SignUpAsync(string email) => Gateway.PostJsonAsync("/users", Body(email));

    private static string Ask(string email, string password = Password) => new JsonObject { ["email"] = email, ["password"] = password }.ToJsonString();

    private Task<Answer> AskAsync(string email, (string, string) session, GatewayHttp? gateway = null, string password = Password) =>
        (gateway ?? Gateway).PostJsonAsync("/account/email", Ask(email, password), session);

    private Task<Answer> ConfirmAsync(string token) => Gateway.PostJsonAsync("/email-changes", new JsonObject { ["token"] = token }.ToJsonString());
}
