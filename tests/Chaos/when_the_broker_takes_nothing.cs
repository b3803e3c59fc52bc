using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Tests.Chaos;

[Collection("running system")]
public sealed class when_the_broker_takes_nothing(Running running)
{
    [Fact(Timeout = Run.Deadline)]
    public async Task since_it_is_short_of_room_who_came_before_that_was_known_gets_an_account_and_who_comes_later_is_told_that_nothing_is_kept()
    {
        await SignedUpAsync();
        List<string> told = [], refused = [];
        await Parts.ProvisionAsync("block", "rabbitmq");
        try
        {
            await Wait.UntilAsync(async () =>
            {
                var email = NewEmail();
                var (status, problem) = await SignUpAsync(email);
                if (status == HttpStatusCode.Accepted) told.Add(email);
                if (status != HttpStatusCode.ServiceUnavailable) return false;
                refused.Add(email);
                Assert.EndsWith("/unavailable", (string?)problem["type"], StringComparison.Ordinal);
                return true;
            }, "it is known that the broker takes nothing");
            var (ready, report) = await HealthAsync();
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready);
            Assert.Contains("takes no messages", (string?)report["checks"]!["rabbitmq"]!["description"], StringComparison.Ordinal);
        }
        finally
        {
            await Parts.ProvisionAsync("unblock", "rabbitmq");
        }

        Assert.NotEmpty(told);
        await Wait.UntilAsync(async () => (await AccountsAsync(told)).Count == told.Count, "whoever was told to wait has an account");
        await Wait.UntilAsync(async () => (await HealthAsync()).Status == HttpStatusCode.OK, "the gateway is ready again");
        // What had been on its way would be there before this one.
        await SignedUpAsync();
        Assert.Empty(await AccountsAsync(refused));
    }

    [Fact(Timeout = Run.Deadline)]
    public async Task since_it_is_frozen_whoever_is_told_to_wait_gets_an_account()
    {
        await SignedUpAsync();
        var emails = Enumerable.Range(0, 4).Select(_ => NewEmail()).ToList();
        await Parts.ProvisionAsync("freeze", "rabbitmq");
        try
        {
            var answers = await Task.WhenAll(emails.Select(SignUpAsync));
            Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.Status));
        }
        finally
        {
            await Parts.ProvisionAsync("thaw", "rabbitmq");
        }

        await Wait.UntilAsync(async () => (await AccountsAsync(emails)).Count == emails.Count, "whoever was told to wait has an account");
    }

    private static string NewEmail() => $"{Guid.NewGuid():N}@example.org";

    private async Task SignedUpAsync() => await Wait.UntilAsync(async () => (await SignUpAsync(NewEmail())).Status == HttpStatusCode.Created, "someone can sign up");

    private async Task<(HttpStatusCode Status, JsonObject Body)> SignUpAsync(string email)
    {
        using var response = await running.Gateway.PostAsJsonAsync("users", new { username = "guest", email, password = "correct horse battery" });
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
    }

    private async Task<(HttpStatusCode Status, JsonObject Report)> HealthAsync()
    {
        using var response = await running.Gateway.GetAsync("health/ready");
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
    }

    private async Task<IReadOnlyList<string>> AccountsAsync(IReadOnlyList<string> emails)
    {
        return [.. (await running.System.Database.EventsAsync<Stored.AccountCreated>()).Select(e => e.Happened.Email).Where(emails.Contains)];
    }
}
