using System.Net;
using System.Text.RegularExpressions;

namespace Signup.Tests.Integration.Operations;

/// <summary>An operator at <c>/ops</c>, with cookies and without scripts.</summary>
internal static partial class OpsBrowser
{
    public static HttpClient Open(string gatewayUrl) => new(new HttpClientHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(gatewayUrl) };

    public static async Task<HttpClient> SignedInAsync(string gatewayUrl, string key, string name = "operator")
    {
        var browser = Open(gatewayUrl);
        Assert.Equal(HttpStatusCode.OK, (await browser.SignInAsync(name, key)).StatusCode);
        return browser;
    }

    public static async Task<HttpResponseMessage> SignInAsync(this HttpClient browser, string name, string key)
    {
        var form = await (await browser.GetAsync("/ops")).Content.ReadAsStringAsync();
        return await browser.PostAsync("/ops/sign-in", new FormUrlEncodedContent([new("formToken", FormToken().Match(form).Groups[1].Value), new("name", name), new("key", key)]));
    }

    /// <summary>Presses a button of a page.</summary>
    public static async Task<HttpResponseMessage> PressAsync(this HttpClient browser, string page, string action, params (string Name, string Value)[] fields)
    {
        var token = FormToken().Match(await browser.GetStringAsync(page)).Groups[1].Value;
        return await browser.PostAsync(action, new FormUrlEncodedContent([new("formToken", token), .. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))]));
    }

    [GeneratedRegex("name=\"formToken\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
