namespace Signup.Tests.Chaos;

/// <summary>One system for all tests that leave it as it was.</summary>
public sealed class Running : IAsyncLifetime
{
    public SignupSystem System { get; private set; } = null!;
    public HttpClient Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var applications = Path.Combine(Path.GetTempPath(), $"applications.{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(applications, """{ "clients": [ { "id": "shop", "name": "The shop", "redirectUris": ["https://shop.example/signed-in"] } ] }""");
        System = await SignupSystem.StartAsync("running", new Dictionary<string, string>
        {
            ["PasswordHashing__MemoryKiB"] = "8",
            ["PasswordHashing__Passes"] = "1",
            ["Signup__ReplyTimeout"] = "00:00:02",
            ["Mail__EventsKey"] = "key",
            ["OpenId__ClientsFile"] = applications,
        }, "Accounts", "Uniqueness", "Query", "Gateway");
        Gateway = System.Client("Gateway");
    }

    public async ValueTask DisposeAsync()
    {
        Gateway.Dispose();
        await System.DisposeAsync();
    }
}

[CollectionDefinition("running system")]
public sealed class RunningTests : ICollectionFixture<Running>;
