using Signup.Hosting;
using Signup.Tests.Fixture;

namespace Signup.Tests.Integration.Gateway;

/// <summary>A whole system, and the gateway to it, for the tests of one class. Hashes are cheap, and every command is decided: the gateway waits longer than a busy machine takes.</summary>
public abstract class SystemWithGateway(string name, params (string Key, string Value)[] settings) : IAsyncLifetime
{
    public SignupSystem System { get; private set; } = null!;
    public GatewayHttp Gateway { get; private set; } = null!;
    public SignedTokens Tokens => new(System.SigningKey, TimeProvider.System);

    public async ValueTask InitializeAsync()
    {
        (string Key, string Value)[] all = [("PasswordHashing__MemoryKiB", "8"), ("PasswordHashing__Passes", "1"), ("Signup__ReplyTimeout", "00:01:00"), .. settings];
        System = await SignupSystem.StartAsync(name, all.ToDictionary(s => s.Key, s => s.Value));
        Gateway = new GatewayHttp(System["Gateway"]);
    }

    public async ValueTask DisposeAsync()
    {
        Gateway.Dispose();
        await System.DisposeAsync();
    }
}
