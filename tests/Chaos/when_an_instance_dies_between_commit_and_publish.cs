using System.Globalization;
using Signup.Tests.Fixture;
using Signup.Tests.Integration.Mail;

namespace Signup.Tests.Chaos;

public class when_an_instance_dies_between_commit_and_publish
{
    private const int Clients = 64, Round = 300, MostRounds = 40;

    [Fact(Timeout = Run.Deadline)]
    public async Task another_publishes_what_it_left_within_a_minute()
    {
        var run = new Run();
        await using var smtp = new SmtpServer { Capabilities = { "SMTPUTF8" } }.Start();
        await using var system = await SignupSystem.StartAsync("outbox", when_instances_are_killed_while_people_sign_up.With(smtp), "Accounts", "Uniqueness", "Gateway", "Query");
        var instances = new[] { system["Uniqueness"], system.Add("Uniqueness") };
        await instances[1].StartAsync();
        var audit = new Audit(system, smtp);
        await audit.SubscribeAsync();
        var attempts = new Addresses(run.Random).Attempts(Round * MostRounds, 1, run.Id);
        await using var crowd = new Crowd(system.GatewayUrl, Clients);

        // A kill that hits between commit and publish is luck. It is tried until it has been had so often.
        var wanted = Run.IsLong ? 3 : 1;
        var (left, hits) = (0L, 0);
        for (var round = 0; hits < wanted && round < MostRounds; round++)
        {
            var victim = instances[round % 2];
            crowd.Enter(attempts.Skip(round * Round).Take(Round));
            var hit = round * Round + run.Random.Next(Clients, Round - Clients);
            await Wait.UntilAsync(() => Task.FromResult(crowd.Answered >= hit), $"{hit} sign-ups have an answer", TimeSpan.FromMinutes(2));
            await victim.KillAsync();
            await Wait.UntilAsync(() => Task.FromResult(crowd.Answered == (round + 1) * Round), "the round is answered", TimeSpan.FromMinutes(2));
            // The other instance has nothing to do any more; what is there now is the dead one's.
            left = await audit.OutboxAsync();
            run.Tell(string.Create(CultureInfo.InvariantCulture, $"round {round}: the killed instance left {left} messages"));
            if (left > 0)
            {
                hits++;
                await Wait.UntilAsync(async () => await audit.OutboxAsync() == 0, "the living instance has published what the dead one left", TimeSpan.FromMinutes(1));
                run.Tell("they are published");
            }
            await victim.StartAsync();
        }
        Assert.True(hits > 0, "no kill hit between commit and publish; nothing was shown");

        await crowd.CloseAsync();
        run.Tell($"answers: {crowd.Counts}");
        var entered = attempts.Take(crowd.Answered).ToArray();
        await audit.AnswersAreTrueAsync(entered, await crowd.DecideAllAsync(entered));
        await audit.PublishedAsync((await audit.CreatedAsync()).Select(c => c.Account).ToHashSet(), TimeSpan.FromMinutes(1));
    }
}
