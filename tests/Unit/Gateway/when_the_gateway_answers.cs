using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Signup.Gateway.Accounts;
using Signup.Gateway.Pages;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Hosting.Http;

namespace Signup.Tests.Unit.Gateway;

public class when_the_gateway_answers
{
    private static readonly Guid Ada = Guid.Parse("0193b1c2-0000-7000-8000-000000000001"), Bob = Guid.Parse("0193b1c2-0000-7000-8000-000000000002"), SignUp = Guid.NewGuid();

    [Theory]
    [InlineData(null, false)]
    [InlineData("*/*", false)]
    [InlineData("application/json", false)]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true)]
    [InlineData("text/html;q=0.5, application/json", false)]
    [InlineData("text/html;q=0", false)]
    [InlineData("nonsense;;;", false)]
    public void browsers_get_pages_and_programs_get_json(string? accept, bool page)
    {
        var http = new DefaultHttpContext();
        if (accept is not null) http.Request.Headers.Accept = accept;
        Assert.Equal(page, Client.WantsPage(http.Request));
    }

    [Theory]
    [InlineData(null, "en")]
    [InlineData("de", "de")]
    [InlineData("de-AT,de;q=0.9,en;q=0.8", "de")]
    [InlineData("en-GB,en;q=0.9,de;q=0.8", "en")]
    [InlineData("en;q=0.5, de;q=0.9", "de")]
    [InlineData("fr, de;q=0.1", "de")]
    [InlineData("fr", "en")]
    [InlineData("de;q=0", "en")]
    [InlineData("*", "en")]
    [InlineData(";;;", "en")]
    public void it_speaks_the_language_that_is_asked_for(string? accept, string language)
    {
        var http = new DefaultHttpContext();
        if (accept is not null) http.Request.Headers.AcceptLanguage = accept;
        Assert.Equal(language, Client.Texts(http.Request).Language);
    }

    [Fact]
    public void every_fault_of_every_field_has_its_words_in_every_language()
    {
        foreach (var texts in new[] { Texts.English, Texts.German })
            foreach (var fault in Enum.GetValues<Fault>())
                Assert.All(Field.All, field => Assert.EndsWith(".", texts.Of(new FieldError(field, fault)), StringComparison.Ordinal));
    }

    [Fact]
    public async Task a_problem_names_itself_and_says_what_to_do_and_when()
    {
        var http = Context();
        await Problems.Problem(429, "too-many-sign-ups", "Too many", "Wait.", new Dictionary<string, string[]> { ["email"] = ["Wait."] }, TimeSpan.FromSeconds(2.1)).ExecuteAsync(http);

        Assert.Equal((429, "application/problem+json", "3"), (http.Response.StatusCode, http.Response.ContentType, http.Response.Headers.RetryAfter.ToString()));
        var json = JsonDocument.Parse(((MemoryStream)http.Response.Body).ToArray()).RootElement;
        Assert.Equal("/problems/too-many-sign-ups", json.GetProperty("type").GetString());
        Assert.Equal(429, json.GetProperty("status").GetInt32());
        Assert.Equal("Wait.", json.GetProperty("errors").GetProperty("email")[0].GetString());
    }

    [Fact]
    public async Task a_fault_of_ours_tells_nobody_how_it_came_about()
    {
        foreach (var accept in new[] { "text/html", "application/json" })
        {
            var http = Context();
            http.Request.Headers.Accept = accept;
            http.Response.StatusCode = 500;
            await Failures.WriteAsync(http, new InvalidOperationException("Host=10.0.0.1;Password=secret"));
            var body = System.Text.Encoding.UTF8.GetString(((MemoryStream)http.Response.Body).ToArray());
            Assert.Equal(500, http.Response.StatusCode);
            Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
            Assert.DoesNotContain("InvalidOperation", body, StringComparison.Ordinal);
            Assert.Contains(Texts.English.Fault, body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task a_page_shows_what_was_typed_as_text_and_never_the_password()
    {
        var html = await RenderAsync<SignUpPage>(new()
        {
            [nameof(SignUpPage.Username)] = "<script>alert(1)</script>",
            [nameof(SignUpPage.Email)] = "\" autofocus onfocus=alert(1) x=\"",
            [nameof(SignUpPage.Errors)] = new Dictionary<string, string> { ["password"] = "Too short." },
            [nameof(SignUpPage.FormToken)] = "t",
            [nameof(SignUpPage.Key)] = "k",
        });

        Assert.DoesNotContain("<script>alert", html, StringComparison.Ordinal);
        Assert.Contains("value=\"&lt;script&gt;alert(1)&lt;/script&gt;\"", html, StringComparison.Ordinal);
        Assert.Contains("value=\"&quot; autofocus", html, StringComparison.Ordinal);
        var password = html[html.IndexOf("<input id=\"password\"", StringComparison.Ordinal)..];
        Assert.DoesNotContain("value=", password[..password.IndexOf('>')], StringComparison.Ordinal);
    }

    [Fact]
    public async Task a_page_needs_nothing_that_its_content_security_policy_forbids()
    {
        var html = await RenderAsync<SignUpPage>(new() { [nameof(SignUpPage.FormToken)] = "t", [nameof(SignUpPage.Key)] = "k" });
        Assert.DoesNotContain("style=", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<style", html, StringComparison.Ordinal);
        Assert.DoesNotContain(" on", System.Text.RegularExpressions.Regex.Replace(html, "(?s)>[^<]*<", "><"), StringComparison.Ordinal);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal);
    }

    [Fact]
    public void an_account_is_shown_to_whoever_holds_its_token_and_to_nobody_else()
    {
        var tokens = Tokens();
        Assert.Equal(new StatusProof(Ada, SignUp, IsCookie: false), tokens.Find(Request(bearer: tokens.Issue(Ada, SignUp)), $"{Ada}"));
        Assert.Equal(new StatusProof(Ada, SignUp, IsCookie: true), tokens.Find(Request(cookie: tokens.Issue(Ada, SignUp)), $"{Ada}"));
        Assert.Null(tokens.Find(Request(), $"{Ada}"));
        Assert.Null(tokens.Find(Request(bearer: tokens.Issue(Bob, SignUp)), $"{Ada}"));
        Assert.Null(tokens.Find(Request(cookie: tokens.Issue(Bob, SignUp)), $"{Ada}"));
        Assert.Null(tokens.Find(Request(bearer: "nonsense", cookie: tokens.Issue(Ada, SignUp)), $"{Ada}"));
        var token = tokens.Issue(Ada, SignUp);
        Assert.Null(tokens.Find(Request(bearer: token[..^2] + (token[^2] == 'A' ? "BA" : "AA")), $"{Ada}"));
        Assert.Null(tokens.Find(Request(bearer: tokens.Issue(Ada, SignUp)), "nobody"));
    }

    [Fact]
    public void a_token_for_the_link_in_the_mail_is_none_for_the_account_and_the_other_way_round()
    {
        var signed = Signed();
        Assert.Null(Tokens().Find(Request(bearer: signed.Issue("activation", Ada, DateTimeOffset.UtcNow.AddDays(1))), $"{Ada}"));
        Assert.Equal(TokenState.Invalid, signed.Read("activation", Tokens().Issue(Ada, SignUp), out _));
    }

    [Fact]
    public void the_same_sign_up_has_the_same_token_for_ever() => Assert.Equal(Tokens().Issue(Ada, SignUp), Tokens().Issue(Ada, SignUp));

    private static SignedTokens Signed() => new([new byte[32]], TimeProvider.System);

    private static StatusTokens Tokens() => new(Signed());

    private static HttpRequest Request(string? bearer = null, string? cookie = null)
    {
        var http = new DefaultHttpContext();
        if (bearer is not null) http.Request.Headers.Authorization = "Bearer " + bearer;
        if (cookie is not null) http.Request.Headers.Cookie = "status=" + cookie;
        return http.Request;
    }

    private static ServiceProvider Services() => new ServiceCollection().AddLogging().AddProblemDetails().BuildServiceProvider();

    private static DefaultHttpContext Context() => new() { RequestServices = Services(), Response = { Body = new MemoryStream() } };

    private static async Task<string> RenderAsync<T>(Dictionary<string, object?> parameters) where T : Microsoft.AspNetCore.Components.IComponent =>
        await Page.RenderAsync<T>(Services(), LocalizedPage.Parameters(Texts.English, parameters));
}
