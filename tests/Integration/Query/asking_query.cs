using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Signup.EventLog.Accounts;

namespace Signup.Tests.Integration.Query;

/// <summary>Query as a process, over HTTP; Uniqueness beside it, to put events into the log.</summary>
public sealed class asking_query(asking_query.Running running) : IClassFixture<asking_query.Running>
{
    private const string OperatorsKey = "a-long-and-random-key";

    public sealed class Running : IAsyncLifetime
    {
        public SignupSystem System { get; private set; } = null!;
        public HttpClient Query { get; private set; } = null!;
        public HttpClient Uniqueness { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            System = await SignupSystem.StartAsync("query", new Dictionary<string, string> { ["Ops__Keys__ada"] = OperatorsKey }, "Uniqueness", "Query");
            (Query, Uniqueness) = (System.Client("Query"), System.Client("Uniqueness"));
        }

        public async ValueTask DisposeAsync()
        {
            Query.Dispose();
            Uniqueness.Dispose();
            await System.DisposeAsync();
        }
    }

    private readonly HttpClient _query = running.Query;
    private readonly Guid _id = Guid.NewGuid();
    private readonly string _email = $"Zoë+news.{Guid.NewGuid():N}@Exämple.org";

    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    [InlineData("")]
    public async Task needs_the_key(string? key)
    {
        using var client = new HttpClient { BaseAddress = _query.BaseAddress };
        if (key is not null) client.DefaultRequestHeaders.Add("X-Api-Key", key);
        foreach (var path in new[] { "/log", "/accounts", $"/accounts/{_id}", $"/accounts/{_id}/events" })
        {
            var response = await client.GetAsync(path);
            Assert.Equal((HttpStatusCode.Unauthorized, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        }
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live")).StatusCode);
    }

    [Fact]
    public async Task for_an_account_shows_it_as_soon_as_its_creator_knows_of_it()
    {
        await CreateAsync();
        var account = await GetAsync($"/accounts/{_id}");
        Assert.Equal((_id, "Zoë", _email, "pending", "queued", 1), (account.GetProperty("id").GetGuid(), account.GetProperty("username").GetString(), account.GetProperty("email").GetString(),
            account.GetProperty("status").GetString(), account.GetProperty("mail").GetProperty("state").GetString(), account.GetProperty("version").GetInt32()));
    }

    [Fact]
    public async Task finds_an_address_however_it_is_written_and_only_its_own()
    {
        await CreateAsync();
        await UntilListedAsync($"/accounts?email={Uri.EscapeDataString("  " + _email.ToUpperInvariant().Replace("EXÄMPLE", "xn--exmple-cua", StringComparison.Ordinal))}");
        await UntilListedAsync($"/accounts?email={_email}");
        await ChangeEmailAsync($"new.{_email}");
        await UntilListedAsync($"/accounts?email={Uri.EscapeDataString($"new.{_email}")}");
        Assert.Equal(0, (await GetAsync($"/accounts?email={Uri.EscapeDataString(_email)}")).GetArrayLength());
    }

    [Fact]
    public async Task pages_through_accounts_of_a_status()
    {
        var mine = new HashSet<Guid>();
        for (var n = 0; n < 5; n++) mine.Add(await CreateAsync(Guid.NewGuid(), $"p{n}.{_email}"));
        await Wait.UntilAsync(async () => (await GetAsync("/accounts?status=pending&limit=1000")).EnumerateArray().Select(a => a.GetProperty("id").GetGuid()).ToHashSet().IsSupersetOf(mine), "all are listed");

        var seen = new List<Guid>();
        var next = "/accounts?status=PENDING&limit=2";
        while (next is not null)
        {
            var response = await _query.GetAsync(next);
            var page = (await response.Content.ReadFromJsonAsync<JsonElement>()).EnumerateArray().ToList();
            Assert.True(page.Count <= 2);
            seen.AddRange(page.Select(a => a.GetProperty("id").GetGuid()));
            next = response.Headers.TryGetValues("Link", out var link) ? link.Single().Split('<', '>')[1] : null;
        }
        Assert.Equal(seen.Distinct(), seen);
        Assert.Superset(mine, seen.ToHashSet());
        Assert.Equal(0, (await GetAsync("/accounts?status=deleted")).GetArrayLength());
    }

    [Fact]
    public async Task shows_an_account_as_it_was()
    {
        await CreateAsync();
        var before = (await GetAsync($"/accounts/{_id}/events"))[0].GetProperty("time").GetDateTimeOffset();
        await ChangeEmailAsync($"new.{_email}");

        Assert.Equal(_email, (await GetAsync($"/accounts/{_id}?version=1")).GetProperty("email").GetString());
        Assert.Equal($"new.{_email}", (await GetAsync($"/accounts/{_id}?version=2")).GetProperty("email").GetString());
        Assert.Equal(_email, (await GetAsync($"/accounts/{_id}?at={before:O}")).GetProperty("email").GetString());
        Assert.Equal($"new.{_email}", (await GetAsync($"/accounts/{_id}?at=2999-01-01T00:00:00Z")).GetProperty("email").GetString());
        await FailsAsync($"/accounts/{_id}?version=3", HttpStatusCode.NotFound, "no version 3");
        await FailsAsync($"/accounts/{_id}?at={before.AddSeconds(-1):O}", HttpStatusCode.NotFound, "at that moment");
    }

    [Fact]
    public async Task shows_an_accounts_events_in_order_and_without_secrets()
    {
        await CreateAsync();
        await ChangeEmailAsync($"new.{_email}");
        var response = await _query.GetStringAsync($"/accounts/{_id}/events");
        Assert.DoesNotContain("argon", response, StringComparison.OrdinalIgnoreCase);
        var events = JsonDocument.Parse(response).RootElement.EnumerateArray().ToList();
        Assert.Equal([(1, "AccountCreated"), (2, "EmailChanged")], events.Select(e => (e.GetProperty("version").GetInt32(), e.GetProperty("type").GetString()!)));
        Assert.Equal(_email, events[0].GetProperty("data").GetProperty("email").GetString());
        Assert.True(events[0].GetProperty("position").GetInt64() < events[1].GetProperty("position").GetInt64());
        Assert.Equal(DateTimeOffset.UtcNow, events[0].GetProperty("time").GetDateTimeOffset(), TimeSpan.FromMinutes(1));
        Assert.Equal("api", events[0].GetProperty("actor").GetString());
    }

    [Fact]
    public async Task gives_the_log_in_pages_without_secrets()
    {
        for (var n = 0; n < 3; n++) await CreateAsync(Guid.NewGuid(), $"l{n}.{_email}");
        var positions = new List<long>();
        var text = "";
        await Wait.UntilAsync(async () =>
        {
            var page = await _query.GetStringAsync($"/log?after={(positions.Count > 0 ? positions[^1] : 0)}&limit=2");
            text += page;
            var events = JsonDocument.Parse(page).RootElement.EnumerateArray().ToList();
            Assert.True(events.Count <= 2);
            positions.AddRange(events.Select(e => e.GetProperty("position").GetInt64()));
            return events.Count == 0;
        }, "the end of the log is reached");
        Assert.True(positions.Count >= 3);
        Assert.Equal(positions.Order().Distinct(), positions);
        Assert.DoesNotContain("argon", text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"l2.{_email}", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/accounts?status=sleeping", "pending, active, expired, deleted")]
    [InlineData("/accounts?limit=0", "1 or more")]
    [InlineData("/accounts?limit=many", "whole number")]
    [InlineData("/accounts?after=x", "an id")]
    [InlineData("/accounts?email=", "1 to 254")]
    [InlineData("/accounts?mail=a@b.c", "no such parameter")]
    [InlineData("/accounts?limit=1&limit=2", "more than once")]
    [InlineData("/log?after=-1", "0 or more")]
    [InlineData("/log?limit=0", "1 or more")]
    [InlineData("/accounts/0193b1a0-0000-7000-8000-000000000001?version=0", "1 or more")]
    [InlineData("/accounts/0193b1a0-0000-7000-8000-000000000001?at=yesterday", "2026-11-23T10:00:00Z")]
    [InlineData("/accounts/0193b1a0-0000-7000-8000-000000000001?at=10:00", "2026-11-23T10:00:00Z")]
    [InlineData("/accounts/0193b1a0-0000-7000-8000-000000000001?version=1&at=2026-11-23", "not for both")]
    public Task wrongly_gets_a_clear_answer(string path, string detail) => FailsAsync(path, HttpStatusCode.BadRequest, detail);

    [Theory]
    [InlineData("/accounts/0193b1a0-0000-7000-8000-000000000001")]
    [InlineData("/accounts/0193b1a0-0000-7000-8000-000000000001/events")]
    [InlineData("/accounts/0193b1a0-0000-7000-8000-000000000001?version=1")]
    [InlineData("/accounts/0193b1a0-0000-7000-8000-000000000001?at=2026-11-23T10:00:00Z")]
    [InlineData("/accounts/nobody")]
    public Task for_an_account_that_is_not_there_gets_not_found(string path) => FailsAsync(path, HttpStatusCode.NotFound, "");

    [Fact]
    public async Task whether_it_is_ready_tells_how_far_it_is_behind()
    {
        var check = (await GetAsync("/health/ready")).GetProperty("checks").GetProperty("read-model");
        Assert.Equal("Healthy", check.GetProperty("status").GetString());
        Assert.True(check.GetProperty("data").GetProperty("behindSeconds").GetDouble() >= 0);
    }

    [Fact]
    public async Task for_its_pages_lets_operators_in_who_type_their_key_and_stops_whoever_guesses()
    {
        using var browser = Browser();
        var refused = await browser.GetAsync("/");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("name=\"to\" value=\"/find?q=ada\"", await (await browser.GetAsync("/find?q=ada")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        foreach (var wrong in new[] { "wrong", running.System.ApiKey }) Assert.Equal(HttpStatusCode.Unauthorized, (await SignInAsync(browser, wrong, "/")).StatusCode);
        using var broken = new StringContent($"key={OperatorsKey}", new System.Net.Http.Headers.MediaTypeHeaderValue("multipart/form-data"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.PostAsync("/sign-in", broken)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/")).StatusCode);

        var welcome = await SignInAsync(browser, OperatorsKey, "/questions/activation-funnel");
        Assert.Equal((HttpStatusCode.SeeOther, "/questions/activation-funnel"), (welcome.StatusCode, welcome.Headers.Location?.OriginalString));
        var cookie = welcome.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.Ordinal);
        Assert.Contains("samesite=strict", cookie, StringComparison.Ordinal);
        browser.DefaultRequestHeaders.Add("Cookie", cookie.Split(';')[0]);
        foreach (var page in new[] { "/", "/questions/activation-funnel", "/questions/time-to-activation" })
        {
            var response = await browser.GetAsync(page);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Contains("default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync("/questions/activation-funnel?from=tomorrow")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/questions/nothing")).StatusCode);
        // The API is for programs: the cookie is no key to it.
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/log")).StatusCode);

        var guesses = new List<HttpResponseMessage>();
        for (var i = 0; i < 10; i++) guesses.Add(await SignInAsync(browser, $"a guess, the {i}th", "/"));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests), (guesses[0].StatusCode, guesses[^1].StatusCode));
        Assert.NotNull(guesses[^1].Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await SignInAsync(browser, OperatorsKey, "/")).StatusCode);
    }

    [Fact]
    public async Task is_not_possible_with_an_operators_key_that_can_be_guessed()
    {
        var query = running.System.Add("Query");
        query.Set("Ops__Keys__grace", "guessable");
        Assert.Contains("Ops:Keys:grace is too short for a key", (await Assert.ThrowsAsync<InvalidOperationException>(query.StartAsync)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task for_its_pages_lets_nobody_in_with_a_ticket_of_their_own_making()
    {
        using var browser = Browser();
        browser.DefaultRequestHeaders.Add("Cookie", $"query-operator={Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeSeconds()}\nada"))}.{new string('A', 43)}");
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task steps_through_an_account_on_a_page()
    {
        await CreateAsync();
        await ChangeEmailAsync($"new.{_email}");
        // Operators' pages open to the key itself, too.
        var first = await _query.GetStringAsync($"/history/{_id}?step=1");
        var last = await _query.GetStringAsync($"/history/{_id}");
        Assert.Contains("1 of 2", first, StringComparison.Ordinal);
        Assert.Contains("AccountCreated</h1>", first, StringComparison.Ordinal);
        Assert.Contains("EmailChanged</h1>", last, StringComparison.Ordinal);
        Assert.Contains("<del><bdi>", last, StringComparison.Ordinal);
        Assert.DoesNotContain("argon", first, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("EmailChanged</h1>", await _query.GetStringAsync($"/history/{_id}?at=2999-01-01T00:00:00Z"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await _query.GetAsync($"/history/{_id}?at=then")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _query.GetAsync($"/history/{Guid.NewGuid()}")).StatusCode);
        await Wait.UntilAsync(async () => (await _query.GetAsync($"/find?q={Uri.EscapeDataString($"NEW.{_email}")}")).Headers.Location?.OriginalString == $"/history/{_id}", "the account is found");
    }

    [Fact]
    public async Task on_a_page_takes_what_people_typed_as_text()
    {
        await AppendAsync(HttpMethod.Post, _id, 0, LogDatabase.Created(_email, "<script>alert(1)</script>"));
        Assert.DoesNotContain("<script>alert", await _query.GetStringAsync($"/history/{_id}"), StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", await (await _query.GetAsync("/find?q=<script>alert(1)</script>")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private HttpClient Browser() => new(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = _query.BaseAddress };

    private static async Task<HttpResponseMessage> SignInAsync(HttpClient browser, string key, string to)
    {
        using var form = new FormUrlEncodedContent([new("key", key), new("to", to)]);
        return await browser.PostAsync("/sign-in", form);
    }

    private async Task<Guid> CreateAsync(Guid? id = null, string? email = null)
    {
        await AppendAsync(HttpMethod.Post, id ?? _id, 0, LogDatabase.Created(email ?? _email));
        return id ?? _id;
    }

    private Task ChangeEmailAsync(string to) => AppendAsync(HttpMethod.Patch, _id, 1, new EmailChanged(_email, to, DateTimeOffset.UnixEpoch));

    private async Task AppendAsync<T>(HttpMethod verb, Guid id, int expectedVersion, T e)
    {
        using var request = new HttpRequestMessage(verb, "/event") { Content = JsonContent.Create(new { streamId = id, expectedVersion, type = typeof(T).Name, data = e }) };
        var response = await running.Uniqueness.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private Task UntilListedAsync(string path) =>
        Wait.UntilAsync(async () => (await GetAsync(path)).EnumerateArray().Any(a => a.GetProperty("id").GetGuid() == _id), $"{path} lists the account");

    private Task<JsonElement> GetAsync(string path) => _query.GetFromJsonAsync<JsonElement>(path);

    private async Task FailsAsync(string path, HttpStatusCode status, string detail)
    {
        var response = await _query.GetAsync(path);
        Assert.Equal((status, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.StartsWith("/problems/", problem.GetProperty("type").GetString(), StringComparison.Ordinal);
        Assert.Contains(detail, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
