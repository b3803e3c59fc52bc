using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Signup.Gateway.Ops;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;

namespace Signup.Tests.Unit.Gateway;

public class when_operators_are_let_in
{
    private const string Ada = "a-long-and-random-key";
    private const string Grace = "one-more-long-and-random-key";

    [Theory]
    [InlineData("Ops:Keys:short", "guessable", "too short for a key")]
    [InlineData("Ops:Keys:hopper", Grace, "are one key")]
    [InlineData("Ops:Url", "somewhere", "is no address")]
    [InlineData("Ops:Url", "ftp://127.0.0.1:21", "is no address")]
    [InlineData("Ops:Url", "http://127.0.0.1:0", "is no address")]
    [InlineData("Ops:Url", "http://127.0.0.1:5081/ops", "is no address")]
    [InlineData("Ops:Url", "http://*:5080", "has the port of the public address")]
    public void a_setting_that_cannot_be_meant_ends_the_start_and_is_named(string setting, string value, string why)
    {
        var trouble = Assert.Throws<InvalidOperationException>(() => UrlsOf(new() { ["urls"] = "http://127.0.0.1:5080", ["Ops:Url"] = "http://127.0.0.1:5081", ["Ops:Keys:grace"] = Grace, [setting] = value }));
        Assert.Contains(why, trouble.Message, StringComparison.Ordinal);
        Assert.Contains(setting, trouble.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, null, "http://localhost:5000", true)]
    [InlineData("http://*:80;https://*:443", null, "http://*:80;https://*:443", true)]
    [InlineData(null, "8080", "http://*:8080", true)]
    [InlineData("http://*:80", "8080", "http://*:80", true)]
    [InlineData("http://*:80", null, "http://*:80", false)]
    public void their_address_comes_on_top_of_the_publics_if_there_is_an_operator(string? urls, string? ports, string publics, bool anyone)
    {
        var all = UrlsOf(new() { ["urls"] = urls, ["http_ports"] = ports, ["Ops:Url"] = "http://127.0.0.1:5081", ["Ops:Keys:ada"] = anyone ? Ada : "" });
        Assert.Equal(anyone ? $"{publics};http://127.0.0.1:5081" : publics, all);
    }

    /// <summary>Else Kestrel would listen to one of the two alone.</summary>
    [Fact]
    public void their_address_stands_where_the_publics_stand()
    {
        var builder = WebApplication.CreateBuilder();
        foreach (var (key, value) in new[] { ("Kestrel:Endpoints:Https:Url", "https://*:443"), ("Ops:Url", "http://127.0.0.1:5081"), ("Ops:Keys:ada", Ada) }) builder.Configuration[key] = value;
        OpsAddress.Add(builder);
        Assert.Equal((null, "http://127.0.0.1:5081"), (builder.Configuration["urls"], builder.Configuration["Kestrel:Endpoints:Operators:Url"]));
    }

    [Fact]
    public void a_session_ends_after_eight_hours_and_with_its_operators_key()
    {
        var time = new Clock();
        using var operators = Operators(time, ("ada", Ada), ("grace", Grace));
        var session = SignIn(operators, Ada);
        Assert.Equal("ada", operators.Find(session.Request));

        using (var adaIsGone = Operators(time, ("grace", Grace))) Assert.Null(adaIsGone.Find(session.Request));
        using (var another = Operators(time, ("ada", "another-long-and-random-key"), ("grace", Grace))) Assert.Null(another.Find(session.Request));
        using (var others = Operators(time, ("ada", Ada), ("grace", "another-long-and-random-key"))) Assert.Equal("ada", others.Find(session.Request));

        time.Now += TimeSpan.FromHours(8);
        Assert.Null(operators.Find(session.Request));
    }

    [Fact]
    public void nobody_signs_for_somebody_else()
    {
        using var operators = Operators(new Clock(), ("ada", Ada), ("grace", Grace));
        var cookie = SignIn(operators, Ada).Request.Headers.Cookie.ToString();
        var forged = new DefaultHttpContext();
        var said = System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(cookie.Split('=', '.')[1]));
        forged.Request.Headers.Cookie = cookie.Replace(cookie.Split('=', '.')[1], System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(said.Replace("ada", "grace", StringComparison.Ordinal))), StringComparison.Ordinal);
        Assert.Null(operators.Find(forged.Request));
        foreach (var nonsense in new[] { "", ".", "a.b", "AAAA.AAAA", "!.!" })
        {
            forged.Request.Headers.Cookie = $"operator={nonsense}";
            Assert.Null(operators.Find(forged.Request));
        }
    }

    [Theory]
    [InlineData("127.0.0.1", null, true)]
    [InlineData("::1", null, true)]
    [InlineData("::ffff:127.0.0.1", null, true)]
    [InlineData("192.0.2.1", null, false)]
    [InlineData("2001:db8::1", null, false)]
    [InlineData("127.0.0.1", "192.0.2.1", false)]
    public void who_is_on_this_machine(string address, string? forwardedFor, bool local)
    {
        var http = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(address) } };
        if (forwardedFor is not null) http.Request.Headers["X-Forwarded-For"] = forwardedFor;
        Assert.Equal(local, Proxies.IsLocal(http));
    }

    [Fact]
    public void a_proxy_that_is_no_address_ends_the_start_and_is_named()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration[Proxies.Setting] = "10.0.0.0/8, the load balancer";
        Assert.Contains("'the load balancer', which is neither an address", Assert.Throws<InvalidOperationException>(builder.Build().UseProxies).Message, StringComparison.Ordinal);
    }

    private static Operators Operators(TimeProvider time, params (string Name, string Key)[] keys) => new(
        new ConfigurationBuilder().AddInMemoryCollection(keys.ToDictionary(k => $"Ops:Keys:{k.Name}", k => (string?)k.Key)).Build(), time, NullLogger<Operators>.Instance, "operator", "/ops");

    /// <summary>The next request of that browser.</summary>
    private static DefaultHttpContext SignIn(Operators operators, string key)
    {
        var http = new DefaultHttpContext();
        Assert.Null(operators.SignIn(http, key));
        var next = new DefaultHttpContext();
        next.Request.Headers.Cookie = http.Response.Headers.SetCookie.ToString().Split(';')[0];
        return next;
    }

    private static string? UrlsOf(Dictionary<string, string?> settings)
    {
        var builder = WebApplication.CreateBuilder();
        foreach (var (key, value) in settings) builder.Configuration[key] = value;
        OpsAddress.Add(builder);
        return string.Join(';', OpsAddress.UrlsOf(builder.Configuration));
    }
}
