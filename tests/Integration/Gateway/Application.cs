using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;

namespace Signup.Tests.Integration.Gateway;

/// <summary>An application that lets its users in with their accounts, as the protocol's texts say it does: RFC 6749 and 7636, and OpenID Connect Core 1.0. It knows nothing of ours but addresses.</summary>
public sealed class Application(string id, string redirect, string? secret)
{
    public const string State = "state of a browser's", Nonce = "a nonce";

    public string Verifier { get; } = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public static string Digest(string secret) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>Where it sends a browser.</summary>
    /// <param name="with">Further parameters, or others; null: not this one.</param>
    public string Request(params (string Name, string? Value)[] with)
    {
        var parameters = new Dictionary<string, string?>
        {
            ["client_id"] = id, ["redirect_uri"] = redirect, ["response_type"] = "code", ["scope"] = "openid profile email", ["state"] = State, ["nonce"] = Nonce,
            ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier))), ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in with) parameters[name] = value;
        return QueryHelpers.AddQueryString("/connect/authorize", parameters.Where(p => p.Value is not null));
    }

    /// <summary>What it is sent back with.</summary>
    public Dictionary<string, string> Read(Answer answer)
    {
        Assert.True(answer.Status is 302 or 303, answer.Text);
        Assert.StartsWith(redirect + "?", answer.Header("Location")!, StringComparison.Ordinal);
        return QueryHelpers.ParseQuery(new Uri(answer.Header("Location")!).Query).ToDictionary(p => p.Key, p => p.Value.ToString());
    }

    /// <summary>Lets a person say yes, whatever they are asked, and takes the code.</summary>
    public async Task<string> CodeAsync(GatewayHttp gateway, (string, string) cookie, params (string, string?)[] with)
    {
        var answer = await gateway.GetAsync(Request(with), cookie, ("Accept", "text/html"));
        if (answer.Status == 200) answer = await AnswerAsync(gateway, answer, cookie, "yes");
        return Read(answer)["code"];
    }

    /// <summary>Presses a button of the page.</summary>
    public static Task<Answer> AnswerAsync(GatewayHttp gateway, Answer page, (string Name, string Value) cookie, string answer)
    {
        var fields = GatewayHttp.HiddenIn(page.Text).ToDictionary(f => f.Key, f => WebUtility.HtmlDecode(f.Value));
        fields["answer"] = answer;
        return gateway.PostFormAsync("/connect/authorize", fields, (cookie.Name, $"{cookie.Value}; {page.Cookie}"), ("Accept", "text/html"));
    }

    /// <summary>Comes with a code.</summary>
    public Task<Answer> ExchangeAsync(GatewayHttp gateway, string code, params (string Name, string? Value)[] with)
    {
        var fields = new Dictionary<string, string?> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = redirect, ["code_verifier"] = Verifier, ["client_id"] = id, ["client_secret"] = secret };
        foreach (var (name, value) in with) fields[name] = value;
        return gateway.PostFormAsync("/connect/token", fields.Where(f => f.Value is not null).ToDictionary(f => f.Key, f => f.Value!));
    }

    public static Task<Answer> UserInfoAsync(GatewayHttp gateway, Answer tokens) => gateway.GetAsync("/connect/userinfo", ("Authorization", $"Bearer {tokens.Json["access_token"]}"));

    /// <summary>Verifies a token by the keys that are published.</summary>
    /// <returns>What it says, and by which key.</returns>
    public static async Task<(JsonObject Claims, string Key)> VerifyAsync(GatewayHttp gateway, string token)
    {
        var parts = token.Split('.');
        var header = Part(parts[0]);
        Assert.Equal("ES256", (string?)header["alg"]);
        var discovery = await gateway.GetAsync("/.well-known/openid-configuration");
        var keys = (await gateway.GetAsync(new Uri((string)discovery.Json["jwks_uri"]!).PathAndQuery)).Json["keys"]!.AsArray();
        var key = keys.Single(k => (string?)k!["kid"] == (string?)header["kid"])!;
        using var ec = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new() { X = Base64Url.DecodeFromChars((string)key["x"]!), Y = Base64Url.DecodeFromChars((string)key["y"]!) } });
        Assert.True(ec.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256));
        return (Part(parts[1]), (string)key["kid"]!);

        static JsonObject Part(string part) => JsonNode.Parse(Base64Url.DecodeFromChars(part))!.AsObject();
    }
}
