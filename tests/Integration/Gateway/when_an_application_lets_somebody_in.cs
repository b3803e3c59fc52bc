using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Gateway;

public sealed class when_an_application_lets_somebody_in(when_an_application_lets_somebody_in.Running running) : IClassFixture<when_an_application_lets_somebody_in.Running>
{
    private const string Secret = "a secret of the shop's: 100 % & more", ShopReturn = "http://127.0.0.1:7/signed-in", PocketReturn = "com.example.pocket:/signed-in";

    private static readonly string File = Path.Combine(Path.GetTempPath(), $"applications.{Guid.NewGuid():N}.json");

    private static Application Shop => new("shop", ShopReturn, Secret);

    /// <summary>Of the house, and without a secret.</summary>
    private static Application Pocket => new("pocket", PocketReturn, null);

    private GatewayHttp Gateway => running.Gateway;

    public sealed class Running() : SystemWithGateway("openid", ("OpenId__ClientsFile", File))
    {
        public override async ValueTask InitializeAsync()
        {
            await global::System.IO.File.WriteAllTextAsync(File, $$"""
                { "clients": [
                    { "id": "shop", "name": "The <b>shop</b>", "redirectUris": ["http://127.0.0.1:7/other", "{{ShopReturn}}"], "secretSha256": "{{Application.Digest(Secret)}}" },
                    { "id": "pocket", "name": "Pocket", "redirectUris": ["{{PocketReturn}}"], "consent": "implicit" } ] }
                """);
            await base.InitializeAsync();
        }
    }

    /// <summary>Somebody who is active, and signed in with a browser.</summary>
    private async Task<(string Email, Guid Id, (string, string) Bearer, (string, string) Cookie)> BrowsingAsync()
    {
        var (email, id, _) = await running.ActiveAsync();
        var signedIn = await running.SignInAsync(email);
        return (email, id, Bearer(signedIn), CookieOf(signedIn));
    }

    /// <summary>One more gateway of the same site.</summary>
    private Task<GatewayHttp> BesideAsync(params (string Key, string Value)[] settings) => running.AnotherAsync([("Signup__PublicUrl", running.System["Gateway"].Url), .. settings]);

    private static void IsError(string error, Answer answer, int status = 400)
    {
        Assert.True(status == answer.Status, $"{answer.Status} {answer.Text}");
        Assert.Equal(error, (string?)answer.Json["error"]);
        Assert.NotEmpty((string)answer.Json["error_description"]!);
    }

    private static void IsNoToken(Answer answer)
    {
        Assert.Equal((401, ""), (answer.Status, answer.Text));
        Assert.Contains("invalid_token", answer.Header("WWW-Authenticate")!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task it_is_told_whose_account_it_is_and_the_log_says_so()
    {
        var before = DateTimeOffset.UtcNow.AddSeconds(-1).ToUnixTimeSeconds();
        var (email, id, bearer, cookie) = await BrowsingAsync();
        var shop = Shop;
        var page = await Gateway.GetAsync(shop.Request(), cookie, ("Accept", "text/html"));
        Assert.Equal(200, page.Status);
        Assert.Contains(email, page.Text, StringComparison.Ordinal);
        Assert.Contains("The &lt;b&gt;shop&lt;/b&gt;", page.Text, StringComparison.Ordinal);
        Assert.Contains("form-action 'self' http://127.0.0.1:7;", page.Header("Content-Security-Policy")!, StringComparison.Ordinal);
        Assert.Equal(["AccountCreated", "AccountActivated"], await running.EventsAsync(id));

        var back = shop.Read(await Application.AnswerAsync(Gateway, page, cookie, "yes"));
        var discovery = (await Gateway.GetAsync("/.well-known/openid-configuration")).Json;
        var issuer = (string)discovery["issuer"]!;
        foreach (var (name, only) in new[] { ("response_types_supported", "code"), ("response_modes_supported", "query"), ("code_challenge_methods_supported", "S256"), ("grant_types_supported", "authorization_code"), ("token_endpoint_auth_methods_supported", "client_secret_basic,client_secret_post,none") })
            Assert.Equal(only, string.Join(',', discovery[name]!.AsArray().Select(v => (string)v!).Order(StringComparer.Ordinal)));
        Assert.Equal((Application.State, issuer), (back["state"], back["iss"]));
        Assert.Equal(["AccountCreated", "AccountActivated"], await running.EventsAsync(id));

        var tokens = await shop.ExchangeAsync(Gateway, back["code"]);
        Assert.True(tokens.Status == 200, tokens.Text);
        Assert.Equal(["AccountCreated", "AccountActivated", "SignedInToApplication"], await running.EventsAsync(id));
        var (said, _) = await Application.VerifyAsync(Gateway, (string)tokens.Json["id_token"]!);
        Assert.Equal((issuer, "shop", $"{id}", Application.Nonce), ((string)said["iss"]!, (string)said["aud"]!, (string)said["sub"]!, (string)said["nonce"]!));
        Assert.Equal((email, true), ((string)said["email"]!, (bool)said["email_verified"]!));
        Assert.StartsWith("Zoë ", (string)said["name"]!, StringComparison.Ordinal);
        Assert.Equal((string)said["name"]!, (string)said["preferred_username"]!);
        Assert.InRange((long)said["auth_time"]!, before, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        // Nobody else is to sign in with it, or to go on with it.
        foreach (var only in new[] { "session", "session_generation", "code" }) Assert.False(said.ContainsKey(only), only);
        Assert.Equal(401, (await Gateway.GetAsync("/account", ("Authorization", $"Bearer {tokens.Json["access_token"]}"))).Status);
        foreach (var wrong in new[] { (string)tokens.Json["id_token"]!, back["code"], "guessed" }) IsNoToken(await Gateway.GetAsync("/connect/userinfo", ("Authorization", $"Bearer {wrong}")));

        var info = await Application.UserInfoAsync(Gateway, tokens);
        Assert.Equal(200, info.Status);
        foreach (var claim in new[] { "sub", "name", "preferred_username", "email", "email_verified" }) Assert.Equal(said[claim]!.ToJsonString(), info.Json[claim]!.ToJsonString());
        var export = await Gateway.GetAsync("/account/export", bearer);
        Assert.Contains("\"application\":\"shop\"", export.Text.Replace(" ", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task it_is_told_what_it_has_asked_for_and_no_more()
    {
        var (email, _, _, cookie) = await BrowsingAsync();
        var shop = Shop;
        var page = await Gateway.GetAsync(shop.Request(("scope", "openid read_my_mail")), cookie, ("Accept", "text/html"));
        Assert.DoesNotContain(email, page.Text, StringComparison.Ordinal);
        var tokens = await shop.ExchangeAsync(Gateway, shop.Read(await Application.AnswerAsync(Gateway, page, cookie, "yes"))["code"]);
        var (said, _) = await Application.VerifyAsync(Gateway, (string)tokens.Json["id_token"]!);
        foreach (var more in new[] { "name", "preferred_username", "email", "email_verified" }) Assert.False(said.ContainsKey(more), more);
        Assert.Equal(["sub"], (await Application.UserInfoAsync(Gateway, tokens)).Json.Select(p => p.Key));
    }

    [Fact]
    public async Task a_code_is_good_once_at_whichever_gateways_they_come_with_it_at_the_same_time()
    {
        var (_, id, _, cookie) = await BrowsingAsync();
        using var another = await BesideAsync();
        var shop = Shop;
        var code = await shop.CodeAsync(Gateway, cookie);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(n => shop.ExchangeAsync(n % 2 == 0 ? Gateway : another, code)));
        Assert.Single(answers, a => a.Status == 200);
        foreach (var no in answers.Where(a => a.Status != 200).Append(await shop.ExchangeAsync(another, code))) IsError("invalid_grant", no);
        Assert.Single(await running.EventsAsync(id), "SignedInToApplication");
        // The next one is another one.
        Assert.Equal(200, (await shop.ExchangeAsync(another, await shop.CodeAsync(Gateway, cookie))).Status);
    }

    [Fact]
    public async Task nobody_else_can_use_a_code()
    {
        var (_, id, _, cookie) = await BrowsingAsync();
        var (shop, pocket) = (Shop, Pocket);
        var (code, pocketCode) = (await shop.CodeAsync(Gateway, cookie), await pocket.CodeAsync(Gateway, cookie));
        IsError("invalid_client", await shop.ExchangeAsync(Gateway, code, ("client_secret", "a guess")), 401);
        IsError("invalid_client", await shop.ExchangeAsync(Gateway, code, ("client_secret", null)), 401);
        IsError("invalid_client", await shop.ExchangeAsync(Gateway, code, ("client_id", "nobody")), 401);
        IsError("invalid_client", await pocket.ExchangeAsync(Gateway, pocketCode, ("client_secret", Secret)), 401);
        IsError("invalid_grant", await shop.ExchangeAsync(Gateway, code, ("code_verifier", Pocket.Verifier)));
        IsError("invalid_request", await shop.ExchangeAsync(Gateway, code, ("code_verifier", null)));
        IsError("invalid_grant", await shop.ExchangeAsync(Gateway, code, ("redirect_uri", "http://127.0.0.1:7/other")));
        IsError("invalid_grant", await shop.ExchangeAsync(Gateway, pocketCode, ("code_verifier", pocket.Verifier), ("redirect_uri", PocketReturn)));
        IsError("invalid_grant", await shop.ExchangeAsync(Gateway, code[..^4] + "AAAA"));
        IsError("unsupported_grant_type", await shop.ExchangeAsync(Gateway, code, ("grant_type", "password")));
        Assert.DoesNotContain("SignedInToApplication", await running.EventsAsync(id));

        // None of that has used it up. The secret as a password of Basic authentication (RFC 6749, 2.3.1).
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"shop:{WebUtility.UrlEncode(Secret)}"));
        var tokens = await Gateway.PostFormAsync("/connect/token",
            new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = ShopReturn, ["code_verifier"] = shop.Verifier }, ("Authorization", $"Basic {basic}"));
        Assert.True(tokens.Status == 200, tokens.Text);
        Assert.Equal(200, (await pocket.ExchangeAsync(Gateway, pocketCode)).Status);
    }

    [Theory]
    [InlineData("here")]
    [InlineData("everywhere")]
    [InlineData("left")]
    public async Task when_the_session_ends_its_codes_and_tokens_do(string how)
    {
        var (_, _, bearer, cookie) = await BrowsingAsync();
        var shop = Shop;
        var tokens = await shop.ExchangeAsync(Gateway, await shop.CodeAsync(Gateway, cookie));
        Assert.Equal(200, (await Application.UserInfoAsync(Gateway, tokens)).Status);
        var code = await shop.CodeAsync(Gateway, cookie);
        var ended = how == "left" ? await running.DeleteAsync(bearer) : await Gateway.SendAsync(HttpMethod.Delete, how == "here" ? "/sessions/current" : "/sessions", null, bearer);
        Assert.Equal(204, ended.Status);

        IsError("invalid_grant", await shop.ExchangeAsync(Gateway, code));
        IsNoToken(await Application.UserInfoAsync(Gateway, tokens));
        Assert.Equal("login_required", shop.Read(await Gateway.GetAsync(shop.Request(("prompt", "none")), cookie))["error"]);
    }

    [Fact]
    public async Task what_has_changed_is_told_to_whoever_asks_again()
    {
        var (_, _, bearer, cookie) = await BrowsingAsync();
        var shop = Shop;
        var tokens = await shop.ExchangeAsync(Gateway, await shop.CodeAsync(Gateway, cookie));
        Assert.Equal(204, (await Gateway.SendJsonAsync(HttpMethod.Put, "/account/username", """{"username":"Ada the Second"}""", bearer)).Status);
        Assert.Equal("Ada the Second", (string?)(await Application.UserInfoAsync(Gateway, tokens)).Json["name"]);
    }

    public static TheoryData<string, string?> Wrong => new()
    {
        { "client_id", null }, { "client_id", "nobody" }, { "redirect_uri", null }, { "redirect_uri", "https://evil.example/" }, { "redirect_uri", ShopReturn + "/more" }, { "redirect_uri", ShopReturn + "?x=1" },
        { "redirect_uri", PocketReturn }, { "redirect_uri", ShopReturn.ToUpperInvariant() }, { "code_challenge", null }, { "code_challenge_method", "plain" }, { "code_challenge_method", null }, { "response_type", "token" },
        { "response_type", "code id_token" }, { "response_type", null }, { "response_mode", "fragment" }, { "response_mode", "form_post" }, { "prompt", "none login" }, { "request", "x" }, { "request_uri", "https://evil.example" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task nobody_is_sent_anywhere_by_a_request_that_is_not_right_and_it_is_said_what_is_wrong(string name, string? value)
    {
        var (_, _, _, cookie) = await BrowsingAsync();
        foreach (var asking in new[] { "text/html", "application/json" })
        {
            var answer = await Gateway.GetAsync(Shop.Request((name, value)), cookie, ("Accept", asking));
            Assert.Equal((400, null), Where(answer));
            Assert.Contains(asking == "text/html" ? "tell them this: " : "\"detail\":\"", answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task without_a_page_it_is_told_what_stands_in_the_way()
    {
        var (shop, pocket, silent) = (Shop, Pocket, ("prompt", (string?)"none"));
        Assert.Equal("login_required", shop.Read(await Gateway.GetAsync(shop.Request(silent)))["error"]);

        var (email, id, _) = await running.SignUpAsync();
        var cookie = CookieOf(await running.SignInAsync(email));
        Assert.Equal("interaction_required", pocket.Read(await Gateway.GetAsync(pocket.Request(silent), cookie))["error"]);
        var page = await Gateway.GetAsync(pocket.Request(), cookie, ("Accept", "text/html"));
        Assert.Equal((403, null), Where(page));
        Assert.Contains("Your account is not active yet", page.Text, StringComparison.Ordinal);

        await running.ActivateAsync(id);
        var refused = shop.Read(await Gateway.GetAsync(shop.Request(silent), cookie));
        Assert.Equal(("consent_required", Application.State), (refused["error"], refused["state"]));
        // Of the house: nobody is asked, unless it wants that itself.
        Assert.NotEmpty(pocket.Read(await Gateway.GetAsync(pocket.Request(silent), cookie))["code"]);
        Assert.NotEmpty(pocket.Read(await Gateway.GetAsync(pocket.Request(), cookie))["code"]);
        Assert.Equal(200, (await Gateway.GetAsync(pocket.Request(("prompt", "consent")), cookie, ("Accept", "text/html"))).Status);
    }

    [Fact]
    public async Task whoever_says_no_is_sent_back_and_nothing_is_told()
    {
        var (_, id, _, cookie) = await BrowsingAsync();
        var shop = Shop;
        var page = await Gateway.GetAsync(shop.Request(), cookie, ("Accept", "text/html"));
        var back = shop.Read(await Application.AnswerAsync(Gateway, page, cookie, "no"));
        Assert.Equal(("access_denied", Application.State, false), (back["error"], back["state"], back.ContainsKey("code")));
        Assert.Equal(["AccountCreated", "AccountActivated"], await running.EventsAsync(id));
    }

    [Fact]
    public async Task a_yes_that_another_site_sends_for_somebody_is_none()
    {
        var (_, _, _, cookie) = await BrowsingAsync();
        var shop = Shop;
        var fields = QueryHelpers.ParseQuery(shop.Request().Split('?')[1]).ToDictionary(p => p.Key, p => p.Value.ToString());
        fields["answer"] = "yes";
        foreach (var with in new (string, string)[][] { [], [("Sec-Fetch-Site", "cross-site")] })
        {
            var answer = await Gateway.PostFormAsync("/connect/authorize", fields, [cookie, ("Accept", "text/html"), .. with]);
            Assert.Equal((400, null), Where(answer));
            // It can be said here.
            Assert.NotEmpty(shop.Read(await Application.AnswerAsync(Gateway, answer, cookie, "yes"))["code"]);
        }
        // A request as a form, which an application may send, is one.
        fields.Remove("answer");
        var request = await Gateway.PostFormAsync("/connect/authorize", fields);
        Assert.Equal(303, request.Status);
        Assert.Equal(200, (await Gateway.GetAsync(request.Header("Location")!, cookie, ("Accept", "text/html"))).Status);
    }

    [Theory]
    [InlineData("prompt", "login")]
    [InlineData("prompt", "select_account")]
    [InlineData("max_age", "0")]
    [InlineData("id_token_hint", "another")]
    public async Task whoever_is_wanted_anew_signs_in_first_and_goes_on_from_there(string name, string value)
    {
        var (email, id, _, cookie) = await BrowsingAsync();
        var pocket = Pocket;
        if (value == "another")
        {
            var (_, _, _, other) = await BrowsingAsync();
            value = (string)(await pocket.ExchangeAsync(Gateway, await pocket.CodeAsync(Gateway, other))).Json["id_token"]!;
        }
        var answer = await Gateway.GetAsync(pocket.Request((name, value)), cookie, ("Accept", "text/html"));
        Assert.Equal(303, answer.Status);
        var path = answer.Header("Location")!;
        Assert.StartsWith("/sign-in?authorize=client_id", path, StringComparison.Ordinal);
        var page = await Gateway.GetAsync(path, cookie, ("Accept", "text/html"));
        Assert.Contains("To go on to Pocket.", page.Text, StringComparison.Ordinal);
        Assert.Contains("form-action 'self' com.example.pocket:;", page.Header("Content-Security-Policy")!, StringComparison.Ordinal);

        // A wrong password, and nothing is lost.
        var fields = HiddenIn(page.Text).ToDictionary(f => f.Key, f => WebUtility.HtmlDecode(f.Value));
        (fields["email"], fields["password"]) = (email, "wrong horse battery");
        var wrong = await Gateway.PostFormAsync("/sign-in", fields, ("Cookie", page.Cookie), ("Accept", "text/html"));
        Assert.Equal(401, wrong.Status);
        Assert.Equal(fields["authorize"], WebUtility.HtmlDecode(HiddenIn(wrong.Text)["authorize"]));
        fields["password"] = Password;
        var signedIn = await Gateway.PostFormAsync("/sign-in", fields, ("Cookie", page.Cookie), ("Accept", "text/html"));
        Assert.Equal(303, signedIn.Status);
        var back = await Gateway.GetAsync(signedIn.Header("Location")!, CookieOf(signedIn), ("Accept", "text/html"));
        if (name == "id_token_hint")
        {
            // It is still not who is wanted.
            Assert.StartsWith("/sign-in?", back.Header("Location")!, StringComparison.Ordinal);
            return;
        }
        var tokens = await pocket.ExchangeAsync(Gateway, pocket.Read(back)["code"]);
        Assert.Equal($"{id}", (string?)(await Application.VerifyAsync(Gateway, (string)tokens.Json["id_token"]!)).Claims["sub"]);
    }

    [Fact]
    public async Task who_is_wanted_and_has_signed_in_lately_enough_just_goes_on()
    {
        var (_, _, _, cookie) = await BrowsingAsync();
        var pocket = Pocket;
        var tokens = await pocket.ExchangeAsync(Gateway, await pocket.CodeAsync(Gateway, cookie, ("max_age", "86400")));
        Assert.NotEmpty(await pocket.CodeAsync(Gateway, cookie, ("id_token_hint", (string)tokens.Json["id_token"]!), ("prompt", "none")));
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/?client_id=pocket")]
    [InlineData("client_id=nobody")]
    [InlineData("client_id=pocket&client_id=shop")]
    [InlineData("")]
    public async Task what_is_no_applications_request_leads_nowhere_but_to_the_account(string authorize)
    {
        var (email, _, _, _) = await BrowsingAsync();
        var signedIn = await Gateway.SubmitAsync($"/sign-in?authorize={Uri.EscapeDataString(authorize)}", new() { ["email"] = email, ["password"] = Password });
        Assert.Equal((303, "/account"), Where(signedIn));
    }

    [Theory]
    [InlineData("client_id=pocket&a=\r\nLocation: https://evil.example")]
    [InlineData("client_id=pocket#@evil.example")]
    [InlineData("client_id=pocket&ü=ö&=")]
    public async Task an_applications_request_leads_to_us_whatever_is_in_it(string authorize)
    {
        var (email, _, _, _) = await BrowsingAsync();
        var page = await Gateway.GetAsync("/sign-in", ("Accept", "text/html"));
        var fields = HiddenIn(page.Text);
        (fields["email"], fields["password"], fields["authorize"]) = (email, Password, authorize);
        var signedIn = await Gateway.PostFormAsync("/sign-in", fields, ("Cookie", page.Cookie), ("Accept", "text/html"));
        Assert.Equal(303, signedIn.Status);
        Assert.StartsWith(authorize.Contains('#', StringComparison.Ordinal) ? "/account" : "/connect/authorize?client_id=pocket&", signedIn.Header("Location")!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task a_key_can_be_replaced_while_people_sign_in()
    {
        var (_, _, _, cookie) = await BrowsingAsync();
        var fresh = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var present = Convert.ToBase64String(running.System.SigningKey);
        using var knowing = await BesideAsync(("Signup__SigningKey", $"{present},{fresh}"));
        using var changed = await BesideAsync(("Signup__SigningKey", $"{fresh},{present}"));
        var pocket = Pocket;
        var before = await pocket.ExchangeAsync(changed, await pocket.CodeAsync(knowing, cookie));
        var after = await pocket.ExchangeAsync(knowing, await pocket.CodeAsync(changed, cookie));
        Assert.Equal((200, 200), (before.Status, after.Status));
        // Whoever has issued it, both publish its key.
        var keys = new HashSet<string>();
        foreach (var tokens in new[] { before, after })
            foreach (var gateway in new[] { knowing, changed })
            {
                keys.Add((await Application.VerifyAsync(gateway, (string)tokens.Json["id_token"]!)).Key);
                Assert.Equal(200, (await Application.UserInfoAsync(gateway, tokens)).Status);
            }
        Assert.Equal(2, keys.Count);
    }

    [Fact]
    public async Task as_long_as_it_is_not_decided_it_is_not_said_that_it_is()
    {
        var (_, id, _, cookie) = await BrowsingAsync();
        using var hasty = await BesideAsync(("Signup__ReplyTimeout", "00:00:01"));
        var shop = Shop;
        var code = await shop.CodeAsync(Gateway, cookie);
        await running.System["Accounts"].StopAsync();
        try
        {
            var answer = await shop.ExchangeAsync(hasty, code);
            IsError("temporarily_unavailable", answer, 503);
            Assert.NotNull(answer.Header("Retry-After"));
        }
        finally
        {
            await running.System["Accounts"].StartAsync();
        }
        // It was in its queue. What has become of it nobody was told, so it is of no use any more.
        IsError("invalid_grant", await shop.ExchangeAsync(Gateway, code));
        Assert.Single(await running.EventsAsync(id), "SignedInToApplication");
    }
}
