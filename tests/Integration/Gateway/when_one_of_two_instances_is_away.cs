using System.Text.Json.Nodes;

namespace Signup.Tests.Integration.Gateway;

public sealed class when_one_of_two_instances_is_away
{
    private static readonly string[] Asked = ["Accounts", "Uniqueness", "Query"];

    [Fact]
    public async Task people_sign_up_and_in_and_see_their_account_as_if_nothing_were()
    {
        var settings = new Dictionary<string, string> { ["PasswordHashing__MemoryKiB"] = "8", ["PasswordHashing__Passes"] = "1", ["Signup__ReplyTimeout"] = "00:00:30" };
        await using var system = await SignupSystem.StartAsync("twoofeach", settings, [.. Asked, .. Asked, "Gateway"]);

        // What was delivered to a process that is frozen is delivered anew; what was asked of it, too.
        var frozen = Asked.Select(name => system.Instances(name)[1]).ToArray();
        await Task.WhenAll(frozen.Select(p => p.FreezeAsync()));
        await EverythingWorksAsync(system);
        await Task.WhenAll(frozen.Select(p => p.ContinueAsync()));

        await Task.WhenAll(Asked.Select(name => system[name].KillAsync()));
        await EverythingWorksAsync(system);
    }

    /// <summary>As often as it takes for each question to be put to each instance.</summary>
    private static async Task EverythingWorksAsync(SignupSystem system)
    {
        using var gateway = new GatewayHttp(system["Gateway"]);
        for (var n = 0; n < 3; n++)
        {
            var email = GatewayHttp.NewEmail();
            var signedUp = await gateway.PostJsonAsync("/users", GatewayHttp.Body(email));
            Assert.Equal(201, signedUp.Status);
            Assert.Equal(200, (await gateway.GetAsync((string)signedUp.Header("Location")!, GatewayHttp.Bearer(signedUp.Json))).Status);
            var signedIn = await gateway.PostJsonAsync("/sessions", new JsonObject { ["email"] = email, ["password"] = GatewayHttp.Password }.ToJsonString());
            Assert.Equal(200, signedIn.Status);
            Assert.Equal(200, (await gateway.GetAsync("/account", GatewayHttp.Bearer(signedIn))).Status);
        }
    }
}
