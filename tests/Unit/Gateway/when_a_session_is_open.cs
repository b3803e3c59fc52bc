using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Signup.Gateway.Accounts;
using Signup.Gateway.SigningIn;
using Signup.Hosting;

namespace Signup.Tests.Unit.Gateway;

public sealed class when_a_session_is_open : IDisposable
{
    private static readonly Guid Ada = Guid.Parse("0193b1c2-0000-7000-8000-000000000001");

    private readonly Clock _time = new();
    private readonly HttpClient _nobody = new();

    public void Dispose() => _nobody.Dispose();

    [Fact]
    public void its_token_says_whose_it_is_as_bearer_and_as_cookie()
    {
        var (session, _) = Sessions().Begin(Ada, 3);
        Assert.Equal(session with { IsCookie = false }, Sessions().Read(Request(bearer: session.Token)));
        Assert.Equal(session, Sessions().Read(Request(cookie: "session=" + session.Token)));
        Assert.Equal((Ada, 3), (session.AccountId, session.Generation));
    }

    [Fact]
    public void it_ends_when_it_said_it_would()
    {
        var (session, expiresAt) = Sessions().Begin(Ada, 0);
        Assert.Equal(_time.GetUtcNow().AddDays(14), expiresAt);
        _time.Now = expiresAt.AddSeconds(-1);
        Assert.NotNull(Sessions().Read(Request(bearer: session.Token)));
        _time.Now = expiresAt;
        Assert.Null(Sessions().Read(Request(bearer: session.Token)));
    }

    [Fact]
    public void when_it_began_can_be_told_and_of_one_whose_id_does_not_tell_it_is_not_known()
    {
        var began = _time.Now = new DateTimeOffset(2026, 11, 23, 10, 0, 0, 123, TimeSpan.Zero);
        var token = Sessions().Begin(Ada, 0).Session.Token;
        _time.Now = began.AddDays(1);
        Assert.Equal(began, Sessions().Read(Request(bearer: token))!.BeganAt);
        Assert.Null(new Session(Ada, Guid.NewGuid(), 0, "", IsCookie: true).BeganAt);
    }

    [Fact]
    public void no_other_token_opens_it()
    {
        var token = Sessions().Begin(Ada, 0).Session.Token;
        Assert.NotEqual(token, Sessions().Begin(Ada, 0).Session.Token);
        foreach (var wrong in new[] { "", "nonsense", token[..^1], token[1..], $"{Guid.NewGuid():N}{token[32..]}", token[..32], new StatusTokens(Tokens()).Issue(Ada, Ada), Tokens().Issue("known device", Ada, _time.Now.AddDays(1)), Tokens().Issue("session", Ada, _time.Now.AddDays(1)) })
        {
            Assert.Null(Sessions().Read(Request(bearer: wrong)));
            Assert.Null(Sessions().Read(Request(cookie: "session=" + wrong)));
            // A cookie does not stand in for a bearer token that is wrong.
            Assert.Null(Sessions().Read(Request(bearer: wrong, cookie: "session=" + token)));
        }
        Assert.Null(Sessions().Read(Request()));
        Assert.Null(Sessions().Read(Request(cookie: "__Host-session=" + token)));
    }

    [Fact]
    public void its_cookie_is_for_this_host_under_https_and_for_no_script()
    {
        var http = new DefaultHttpContext { Request = { Scheme = "https" } };
        var (session, _) = Sessions().Begin(Ada, 0);
        Sessions().SetCookie(http, session);
        var cookie = http.Response.Headers.SetCookie.ToString();
        Assert.StartsWith($"__Host-session={session.Token}; ", cookie, StringComparison.Ordinal);
        foreach (var part in new[] { "; path=/", "; secure", "; httponly", "; samesite=lax", "; max-age=1209600" }) Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("domain", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(session, Sessions().Read(Request(cookie: "__Host-session=" + session.Token, https: true)));
    }

    [Fact]
    public void a_device_is_known_by_a_token_that_opens_nothing()
    {
        var devices = new KnownDevices(Tokens(), _time);
        var http = new DefaultHttpContext();
        devices.SetCookie(http, Ada);
        var cookie = http.Response.Headers.SetCookie.ToString().Split(';')[0];
        Assert.Equal(Ada, devices.Read(Request(cookie: cookie))!.Value.AccountId);
        Assert.Null(devices.Read(Request(cookie: "device=" + Sessions().Begin(Ada, 0).Session.Token)));
        Assert.Null(Sessions().Read(Request(cookie: "session=" + cookie.Split('=')[1])));
        Assert.Equal(TokenState.Invalid, Tokens().Read("activation", cookie.Split('=')[1], out _));
    }

    private SignedTokens Tokens() => new([new byte[32]], _time);

    private Sessions Sessions() => new(Tokens(), new QueryClient(_nobody), Options.Create(new SessionSettings()), _time);

    private static HttpRequest Request(string? bearer = null, string? cookie = null, bool https = false)
    {
        var http = new DefaultHttpContext { Request = { Scheme = https ? "https" : "http" } };
        if (bearer is not null) http.Request.Headers.Authorization = "Bearer " + bearer;
        if (cookie is not null) http.Request.Headers.Cookie = cookie;
        return http.Request;
    }
}
