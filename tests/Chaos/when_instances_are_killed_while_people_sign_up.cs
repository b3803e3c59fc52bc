using System.Globalization;
using Signup.Tests.Integration.Mail;

namespace Signup.Tests.Chaos;

public class when_instances_are_killed_while_people_sign_up
{
    private const int Spellings = 4, Clients = 64;
    private static readonly int Addresses = Run.IsLong ? 1_000 : 300;

    /// <summary>Hashing costs next to nothing here: it is not what is tested, and would make the sign-ups too few at once.</summary>
    internal static Dictionary<string, string> With(SmtpServer smtp) => new(smtp.Settings)
    {
        ["PasswordHashing__MemoryKiB"] = "8",
        ["PasswordHashing__Passes"] = "1",
        ["RateLimiting__SignUpsPerMinute"] = "0",
    };

    [Fact(Timeout = Run.Deadline)]
    public async Task every_address_has_exactly_one_account_and_every_answer_was_true()
    {
        var run = new Run();
        await using var smtp = new SmtpServer { Capabilities = { "SMTPUTF8" } }.Start();
        await using var system = await SignupSystem.StartAsync("chaos", With(smtp));
        var uniqueness = new[] { system["Uniqueness"], system.Add("Uniqueness") };
        var accounts = new[] { system["Accounts"], system.Add("Accounts") };
        await Task.WhenAll(uniqueness[1].StartAsync(), accounts[1].StartAsync());
        var audit = new Audit(system, smtp);
        await audit.SubscribeAsync();
        var attempts = new Addresses(run.Random).Attempts(Addresses, Spellings, run.Id);

        (string What, Func<Task> Do)[] blows =
        [
            .. Enumerable.Repeat<(string, Func<Task>)>(("killing the first instance", () => KillAsync(uniqueness[0])), Run.IsLong ? 3 : 1),
            .. Enumerable.Repeat<(string, Func<Task>)>(("killing the second instance", () => KillAsync(uniqueness[1])), Run.IsLong ? 3 : 1),
            .. Enumerable.Repeat<(string, Func<Task>)>(("killing both instances", () => KillAsync(uniqueness)), Run.IsLong ? 2 : 1),
            ("killing an instance of Accounts", () => KillAsync(accounts[0])),
            ("restarting RabbitMQ", () => Parts.ProvisionAsync("restart", "rabbitmq")),
            ("restarting PostgreSQL", () => Parts.ProvisionAsync("restart", "postgres")),
        ];
        run.Random.Shuffle(blows);

        await using var crowd = new Crowd(system.GatewayUrl, Clients);
        // Each blow falls among sign-ups of its own share, so that however fast the machine is, all of them hit somebody.
        var shares = attempts.Chunk((int)Math.Ceiling(attempts.Count / (double)blows.Length)).ToArray();
        var entered = 0;
        for (var i = 0; i < blows.Length; i++)
        {
            crowd.Enter(shares[i]);
            var hit = entered + run.Random.Next(Clients, shares[i].Length - Clients);
            await Wait.UntilAsync(() => Task.FromResult(crowd.Answered >= hit), $"{hit} sign-ups have an answer", TimeSpan.FromMinutes(3));
            run.Tell(string.Create(CultureInfo.InvariantCulture, $"{crowd.Answered} answered; {blows[i].What}"));
            await blows[i].Do();
            entered += shares[i].Length;
        }
        await crowd.CloseAsync();
        run.Tell($"answers: {crowd.Counts}");

        var decided = await crowd.DecideAllAsync(attempts);
        // Who had a final answer gets the same again, after all the crashes; who was told to wait has one by now.
        foreach (var (number, first) in crowd.Answers)
            if (first.Status != 202) Assert.Equal(first, decided[number]);
            else Assert.True(decided[number].Id is null || decided[number].Id == first.Id);
        await audit.AnswersAreTrueAsync(attempts, decided);
        run.Tell("the log holds what the answers said");

        await audit.EveryoneHasHeardAsync();
        run.Tell("Mail, Query and a queue of our own have heard of everyone");

        var (exitCode, output) = await system.RunAsync("Uniqueness", "verify");
        Assert.True(exitCode == 0, output);
    }

    internal static async Task KillAsync(params SignupProcess[] processes)
    {
        await Task.WhenAll(processes.Select(p => p.KillAsync()));
        await Task.WhenAll(processes.Select(p => p.StartAsync()));
    }
}
