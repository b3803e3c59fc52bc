using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Tests.Integration.Gateway;
using static Signup.Tests.Integration.Gateway.GatewayHttp;

namespace Signup.Tests.Integration.Query;

/// <summary>The article's question, to a log that people have written by what they did: they sign up, activate, change their address, leave, and come back. What they do in a minute is dated back, so that it
/// becomes four days.</summary>
public sealed partial class asking_about_people_who_come_and_go(asking_about_people_who_come_and_go.Running running) : IClassFixture<asking_about_people_who_come_and_go.Running>
{
    public sealed class Running() : SystemWithGateway("journeys")
    {
        private readonly string _run = $"{Guid.NewGuid():N}";

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            // Bob and Eve have another address by the evening. Nobody has activated Cora's account, nor Dan's.
            var ada = await ActiveAsync("ada");
            var bob = await ActiveAsync("bob");
            var eve = await ActiveAsync("eve");
            var (cora, dan) = (await SignUpAsync("cora"), await SignUpAsync("dan"));
            await ChangeEmailAsync(bob, "bob.else");
            await ChangeEmailAsync(eve, "eve.else");
            await LeaveAsync(ada);
            await EndDayAsync("2026-10-01");

            // Theirs expire. Ada comes back, and Frank is glad of the address that was Bob's, who is still there.
            await ExpireAsync(cora);
            await ExpireAsync(dan);
            ada = await ActiveAsync("ADA");
            var frank = await ActiveAsync("bob");
            await EndDayAsync("2026-10-02");

            // On the third day nothing happens.
            await EndDayAsync("2026-10-03");

            // Eve comes back by her first address and Bob by his last; Ada comes a third time; Cora tries again, leaves, and regrets it. Bob's first address had two owners.
            // Two of them have themselves forgotten, and count all the same.
            foreach (var leaving in new[] { ada, frank }) await LeaveAsync(leaving);
            foreach (var leaving in new[] { bob, eve }) await LeaveAsync(leaving, forget: "true");
            await ActiveAsync("bob.else");
            await SignUpAsync("eve");
            await SignUpAsync("ada");
            await LeaveAsync(await ActiveAsync("Cora"));
            await SignUpAsync("cora");
            await SignUpAsync("bob");
            await EndDayAsync("2026-10-04");

            // And this is behind the days that are asked about.
            await SignUpAsync("gus");
        }

        private string Email(string name) => $"{name}.{_run}@example.org";

        private async Task<Guid> SignUpAsync(string name)
        {
            var answer = await Gateway.PostJsonAsync("/users", Body(Email(name)));
            Assert.Equal(201, answer.Status);
            return Guid.Parse((string)answer.Json["id"]!);
        }

        private async Task<(Guid Id, (string, string) Session)> ActiveAsync(string name)
        {
            var id = await SignUpAsync(name);
            await ActivateAsync(id);
            return (id, Bearer(await SignInAsync(Email(name))));
        }

        private async Task ChangeEmailAsync((Guid Id, (string, string) Session) account, string to)
        {
            var asked = await Gateway.PostJsonAsync("/account/email", new JsonObject { ["email"] = Email(to), ["password"] = Password }.ToJsonString(), account.Session);
            Assert.Equal(202, asked.Status);
            var token = await LinkAsync($"email-confirmation-*.{account.Id}");
            Assert.Equal(200, (await Gateway.PostJsonAsync("/email-changes", new JsonObject { ["token"] = token }.ToJsonString())).Status);
        }

        private async Task LeaveAsync((Guid Id, (string, string) Session) account, string forget = "") => Assert.Equal(204, (await DeleteAsync(account.Session, forget: forget)).Status);

        /// <summary>Nobody has activated it in time: Mail says so, and says it again as long as the account is there, since its mail may just be sent.</summary>
        private Task ExpireAsync(Guid id) => Wait.UntilAsync(async () =>
        {
            await System.Commands.SendAsync(Topology.Accounts, new ExpireAccount(id, DateTimeOffset.UtcNow), Guid.NewGuid(), Wait.Deadline, Wait.Token);
            return (await EventsAsync(id))[^1] == "AccountExpired";
        }, "the account is expired");

        /// <summary>What happened since the last day did so on this one, at its end.</summary>
        private Task EndDayAsync(string day) => System.Database.TamperAsync($"update log.mt_events set timestamp = '{day}T23:59:59.9Z' where timestamp > '2026-11-01'");
    }

    [Fact]
    public async Task tells_how_many_were_created_given_up_and_created_again_each_day()
    {
        var page = await PageAsync("created-given-up-created-again?from=2026-10-01&to=2026-10-04");
        Assert.Equal(["day|created|given up|created again", "2026-10-01|5|1|0", "2026-10-02|2|2|1", "2026-10-03|0|0|0", "2026-10-04|6|5|6"], TableOf(page));
        // The chart says the same.
        Assert.Equal(
            [
                .. Drawn("created", 5, 2, 0, 6), .. Drawn("given up", 1, 2, 0, 5), .. Drawn("created again", 0, 1, 0, 6),
            ], Title().Matches(page).Select(m => m.Groups[1].Value));

        static IEnumerable<string> Drawn(string series, params int[] values) => values.Select((value, day) => $"2026-10-0{day + 1}, {series}: {value}");
    }

    [Fact]
    public async Task tells_who_came_back_and_who_stayed()
    {
        Assert.Equal(["account|created|activated|expired|deleted", "the first|6|4|2|4", "after an expired one|1|1|0|1", "after a deleted one|6|2|0|1"],
            TableOf(await PageAsync("who-came-back?from=2026-10-01&to=2026-10-04")));
        Assert.Equal(["account|created|activated|expired|deleted", "the first|1|1|0|1", "after an expired one|0|0|0|0", "after a deleted one|1|1|0|1"],
            TableOf(await PageAsync("who-came-back?from=2026-10-02&to=2026-10-02")));
    }

    [Fact]
    public async Task says_so_where_nothing_happened() =>
        Assert.Contains("Nothing happened in that time.", await PageAsync("created-given-up-created-again?from=2026-10-03&to=2026-10-03"), StringComparison.Ordinal);

    private async Task<string> PageAsync(string question)
    {
        using var query = running.System.Client("Query");
        using var response = await query.GetAsync($"questions/{question}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    /// <summary>Its rows, from the heads on.</summary>
    private static IEnumerable<string> TableOf(string page) => Row().Matches(page).Select(row => string.Join('|', Cell().Matches(row.Value).Select(c => WebUtility.HtmlDecode(c.Groups[1].Value))));

    [GeneratedRegex("<tr>.*?</tr>", RegexOptions.Singleline)]
    private static partial Regex Row();

    [GeneratedRegex("<t[hd][^>]*>([^<]*)</t[hd]>")]
    private static partial Regex Cell();

    [GeneratedRegex("<title>([^<]*: [^<]*)</title></circle>")]
    private static partial Regex Title();
}
