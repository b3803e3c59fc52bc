using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Signup.Tests.Integration.Gateway;

/// <summary>An answer of the gateway, read whole.</summary>
public sealed record Answer(int Status, string Text, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();
    public string? Type => (string?)Json["type"];
    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : ContentHeaders.TryGetValues(name, out values) ? string.Join(", ", values) : null;

    /// <summary>Name and value of the cookie that it sets.</summary>
    public string Cookie => Header("Set-Cookie")!.Split(';')[0];
}

/// <summary>One gateway, as programs and browsers talk to it.</summary>
public sealed partial class GatewayHttp(SignupProcess process) : IDisposable
{
    private readonly HttpClient _http = new(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri(process.Url) };

    public const string Password = "correct horse battery";

    public static string NewEmail() => $"zoe.{Guid.NewGuid():N}@example.org";

    public static string Body(string email, string username = "Zoë", string password = Password) =>
        new JsonObject { ["username"] = username, ["email"] = email, ["password"] = password }.ToJsonString();

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    public Task<Answer> PostJsonAsync(string path, string json, params (string Name, string Value)[] headers) =>
        SendJsonAsync(HttpMethod.Post, path, json, headers);

    public Task<Answer> SendJsonAsync(HttpMethod method, string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync(method, path, new StringContent(json, Encoding.UTF8, "application/json"), headers);

    public Task<Answer> PostFormAsync(string path, IReadOnlyDictionary<string, string> fields, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, new FormUrlEncodedContent(fields), headers);

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _http.SendAsync(request);
        var answer = new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers, response.Content.Headers);
        ApiDescription.Check(_http.BaseAddress!, request, answer);
        return answer;
    }

    /// <summary>The form as a browser gets it: its hidden fields, filled in further, and the cookie to send with it.</summary>
    public async Task<(Dictionary<string, string> Fields, (string, string) Cookie)> FormAsync(string email, string username = "Zoë", string password = "correct horse battery")
    {
        var page = await GetAsync("/");
        var fields = HiddenIn(page.Text);
        (fields["username"], fields["email"], fields["password"]) = (username, email, password);
        return (fields, ("Cookie", page.Cookie));
    }

    /// <summary>As a browser does it: the page first, then its last form, filled in.</summary>
    public async Task<Answer> SubmitAsync(string path, Dictionary<string, string> fields, params (string Name, string Value)[] session)
    {
        var page = await GetAsync(path, [.. session, ("Accept", "text/html")]);
        Assert.Equal(200, page.Status);
        foreach (var (name, value) in HiddenIn(page.Text)) fields[name] = value;
        var cookies = string.Join("; ", session.Select(s => s.Value).Concat(page.Header("Set-Cookie") is null ? [] : [page.Cookie]));
        return await PostFormAsync(path.Split('?')[0], fields, ("Cookie", cookies), ("Accept", "text/html"));
    }

    /// <summary>The hidden fields of a form.</summary>
    public static Dictionary<string, string> HiddenIn(string form) => Hidden().Matches(form).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);

    public static (string, string) Bearer(JsonObject signedUp) => ("Authorization", "Bearer " + signedUp["statusToken"]);

    public static (string, string) Bearer(Answer signedIn) => ("Authorization", "Bearer " + signedIn.Json["token"]);

    public static (string, string) CookieOf(Answer signedIn) => ("Cookie", signedIn.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("session=", StringComparison.Ordinal)).Split(';')[0]);

    /// <summary>Where it leads.</summary>
    public static (int, string?) Where(Answer answer) => (answer.Status, answer.Header("Location"));

    public void Dispose() => _http.Dispose();

    [GeneratedRegex("""<input type="hidden" name="([^"]+)" value="([^"]*)"\s*/?>""")]
    private static partial Regex Hidden();
}
