using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Signup.Hosting;

namespace Signup.Tests.Integration.Gateway;

/// <summary>A whole system, and the gateway to it, for the tests of one class. Hashes are cheap, and every command is decided: the gateway waits longer than a busy machine takes.</summary>
public abstract partial class SystemWithGateway(string name, params (string Key, string Value)[] settings) : IAsyncLifetime
{
    public SignupSystem System { get; private set; } = null!;
    public GatewayHttp Gateway { get; private set; } = null!;
    public SignedTokens Tokens => new([System.SigningKey], TimeProvider.System);

    public virtual async ValueTask InitializeAsync()
    {
        (string Key, string Value)[] all = [("PasswordHashing__MemoryKiB", "8"), ("PasswordHashing__Passes", "1"), ("Signup__ReplyTimeout", "00:01:00"), .. settings];
        System = await SignupSystem.StartAsync(name, all.ToDictionary(s => s.Key, s => s.Value));
        Gateway = new GatewayHttp(System["Gateway"]);
    }

    public virtual async ValueTask DisposeAsync()
    {
        Gateway.Dispose();
        await System.DisposeAsync();
    }

    /// <summary>One more gateway, with other settings.</summary>
    public async Task<GatewayHttp> AnotherAsync(params (string Key, string Value)[] settings)
    {
        var process = System.Add("Gateway");
        foreach (var (key, value) in settings) process.Set(key, value);
        await process.StartAsync();
        return new GatewayHttp(process);
    }

    /// <summary>Somebody, with a user name of their own.</summary>
    public async Task<(string Email, Guid Id, string Username)> SignUpAsync()
    {
        var (email, name) = (GatewayHttp.NewEmail(), $"Zoë {Guid.NewGuid():N}");
        var answer = await Gateway.PostJsonAsync("/users", GatewayHttp.Body(email, name));
        Assert.Equal(201, answer.Status);
        return (email, Guid.Parse((string)answer.Json["id"]!), name);
    }

    public async Task ActivateAsync(Guid id) =>
        Assert.Equal(200, (await Gateway.PostJsonAsync("/activations", new JsonObject { ["token"] = Tokens.Issue("activation", id, DateTimeOffset.UtcNow.AddDays(1)) }.ToJsonString())).Status);

    public Task<Answer> SignInAsync(string email, string password = GatewayHttp.Password) => Gateway.PostJsonAsync("/sessions", new JsonObject { ["email"] = email, ["password"] = password }.ToJsonString());

    /// <summary>Somebody who is active, and signed in.</summary>
    public async Task<(string Email, Guid Id, (string, string) Session)> ActiveAsync()
    {
        var (email, id, _) = await SignUpAsync();
        await ActivateAsync(id);
        return (email, id, GatewayHttp.Bearer(await SignInAsync(email)));
    }

    public Task<Answer> DeleteAsync((string, string) session, string password = GatewayHttp.Password, GatewayHttp? gateway = null, string forget = "") =>
        (gateway ?? Gateway).SendJsonAsync(HttpMethod.Delete, forget.Length > 0 ? $"/account?forget={forget}" : "/account", new JsonObject { ["password"] = password }.ToJsonString(), session);

    /// <summary>The first whose name is like this, once it is there.</summary>
    public async Task<string> MailAsync(string pattern)
    {
        string? file = null;
        await Wait.UntilAsync(() => Task.FromResult((file = Directory.GetFiles(System.MailPickup, $"*{pattern}.eml").FirstOrDefault()) is not null), $"the mail {pattern}");
        // Quoted-printable (RFC 2045, 6.7).
        return SoftBreak().Replace(await File.ReadAllTextAsync(file!), "").Replace("=3D", "=", StringComparison.Ordinal);
    }

    /// <summary>The token in the link of such a mail.</summary>
    public async Task<string> LinkAsync(string pattern) => Token().Match(await MailAsync(pattern)).Groups[1].Value;

    /// <summary>But for what Mail says, which comes when it comes.</summary>
    public async Task<List<string>> EventsAsync(Guid id)
    {
        using var query = System.Client("Query");
        return [.. JsonNode.Parse(await query.GetStringAsync($"accounts/{id}/events"))!.AsArray().Select(e => (string)e!["type"]!).Where(t => !t.Contains("Mail", StringComparison.Ordinal))];
    }

    [GeneratedRegex("=\r?\n")]
    private static partial Regex SoftBreak();

    [GeneratedRegex(@"\?token=([\w-]+)")]
    private static partial Regex Token();
}
