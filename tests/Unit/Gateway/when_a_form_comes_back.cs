using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Signup.Gateway;
using Signup.Gateway.Web;

namespace Signup.Tests.Unit.Gateway;

public class when_a_form_comes_back
{
    private static readonly FormTokens Tokens = new(new DerivedKeys(new byte[32]));

    [Fact]
    public void the_form_that_was_rendered_for_this_browser_is_ours()
    {
        var (cookie, token) = Render();
        Assert.True(Check(cookie, token));
    }

    [Fact]
    public void any_gateway_with_the_same_signing_key_knows_it()
    {
        var (cookie, token) = Render();
        Assert.True(Check(cookie, token, new FormTokens(new DerivedKeys(new byte[32]))));
        Assert.False(Check(cookie, token, new FormTokens(new DerivedKeys([.. Enumerable.Repeat((byte)1, 32)]))));
    }

    [Fact]
    public void a_gateway_knows_it_on_whose_list_the_key_still_is()
    {
        var (cookie, token) = Render();
        Assert.True(Check(cookie, token, new FormTokens(new DerivedKeys([.. Enumerable.Repeat((byte)1, 32)], new byte[32]))));
    }

    [Fact]
    public void a_browser_keeps_its_cookie_so_that_two_open_forms_both_work()
    {
        var (cookie, token) = Render();
        var http = new DefaultHttpContext();
        http.Request.Headers.Cookie = cookie;
        Assert.Equal(token, Tokens.Issue(http));
        Assert.Equal(StringValues.Empty, http.Response.Headers.SetCookie);
    }

    [Fact]
    public void without_cookie_or_without_token_or_with_those_of_another_browser_it_is_not_ours()
    {
        var (cookie, token) = Render();
        var (otherCookie, otherToken) = Render();
        Assert.False(Check(null, token));
        Assert.False(Check(cookie, null));
        Assert.False(Check(cookie, ""));
        Assert.False(Check(cookie, otherToken));
        Assert.False(Check(otherCookie, token));
        Assert.False(Check(cookie, token[..^1]));
        Assert.False(Check(cookie, "*" + token[1..]));
        Assert.False(Check("form=short", token));
    }

    [Fact]
    public void a_form_that_another_site_sends_is_not_ours_whatever_it_holds()
    {
        var (cookie, token) = Render();
        Assert.False(Check(cookie, token, site: "cross-site"));
        Assert.True(Check(cookie, token, site: "same-origin"));
    }

    [Fact]
    public void the_cookie_is_out_of_reach_of_scripts_and_of_other_sites_and_under_https_of_other_hosts()
    {
        var plain = SetCookie(https: false);
        var secure = SetCookie(https: true);
        Assert.All([plain, secure], c => Assert.Contains("httponly", c, StringComparison.OrdinalIgnoreCase));
        Assert.All([plain, secure], c => Assert.Contains("samesite=strict", c, StringComparison.OrdinalIgnoreCase));
        Assert.StartsWith("__Host-", secure, StringComparison.Ordinal);
        Assert.Contains("secure", secure, StringComparison.OrdinalIgnoreCase);
    }

    private static (string Cookie, string Token) Render()
    {
        var http = new DefaultHttpContext();
        var token = Tokens.Issue(http);
        return (http.Response.Headers.SetCookie.ToString().Split(';')[0], token);
    }

    private static bool Check(string? cookie, string? token, FormTokens? by = null, string? site = null)
    {
        var http = new DefaultHttpContext();
        if (cookie is not null) http.Request.Headers.Cookie = cookie;
        if (site is not null) http.Request.Headers["Sec-Fetch-Site"] = site;
        var form = new Dictionary<string, StringValues>();
        if (token is not null) form[FormTokens.Field] = token;
        return (by ?? Tokens).AreValid(http.Request, form);
    }

    private static string SetCookie(bool https)
    {
        var http = new DefaultHttpContext();
        http.Request.Scheme = https ? "https" : "http";
        Tokens.Issue(http);
        return http.Response.Headers.SetCookie.ToString();
    }
}
