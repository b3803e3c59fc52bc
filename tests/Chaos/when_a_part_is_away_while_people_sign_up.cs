using System.Diagnostics;
using System.Net;
using Signup.Tests.Integration.Mail;

namespace Signup.Tests.Chaos;

public class when_a_part_is_away_while_people_sign_up
{
    private const int Clients = 16;

    [Fact(Timeout = Run.Deadline)]
    public async Task without_the_broker_they_are_told_so_and_nothing_of_it_is_kept()
    {
        var run = new Run();
        await using var smtp = new SmtpServer { Capabilities = { "SMTPUTF8" } }.Start();
        await using var system = await SignupSystem.StartAsync("nobroker", With(smtp, "00:00:02"));
        var audit = new Audit(system, smtp);
        await audit.SubscribeAsync();
        var share = Run.IsLong ? 100 : 50;
        var attempts = new Addresses(run.Random).Attempts(4 * share, 1, run.Id);
        await using var crowd = new Crowd(system.GatewayUrl, Clients, retry: false);

        crowd.Enter(attempts.Take(share));
        await AnsweredAsync(crowd, share / 2);
        run.Tell("stopping RabbitMQ");
        await Parts.ProvisionAsync("down", "rabbitmq");
        try
        {
            await AnsweredAsync(crowd, share);
            run.Tell($"answers: {crowd.Counts}");
            crowd.Enter(attempts.Skip(share).Take(share));
            await AnsweredAsync(crowd, 2 * share);
        }
        finally
        {
            await Parts.ProvisionAsync("up", "rabbitmq");
        }
        run.Tell($"RabbitMQ is back; answers: {crowd.Counts}");
        // All that came while it was down.
        var refused = attempts.Skip(share).Take(share).ToArray();
        Assert.All(refused, a => Assert.Equal((int)HttpStatusCode.ServiceUnavailable, crowd.Answers[a.Number].Status));

        crowd.Enter(attempts.Skip(2 * share));
        await crowd.CloseAsync();
        run.Tell($"answers: {crowd.Counts}");
        // Refused ones do not try again. Whatever was being sent when the broker went is asked about once more, with its key.
        var asked = attempts.Except(refused).ToArray();
        var decided = await crowd.DecideAllAsync(asked);
        await audit.AnswersAreTrueAsync(asked, decided);
        await audit.EveryoneHasHeardAsync();
        // And who does try again gets in.
        Assert.Equal(201, (await crowd.DecideAsync(refused[0])).Status);
    }

    [Fact(Timeout = Run.Deadline)]
    public async Task and_the_broker_comes_back_without_its_data_all_get_in_and_get_their_mail()
    {
        var run = new Run();
        await using var smtp = new SmtpServer { Capabilities = { "SMTPUTF8" } }.Start();
        await using var system = await SignupSystem.StartAsync("emptybroker", With(smtp, "00:00:02"));
        var audit = new Audit(system, smtp);
        var attempts = new Addresses(run.Random).Attempts(200, 1, run.Id);
        await using var crowd = new Crowd(system.GatewayUrl, Clients);

        crowd.Enter(attempts);
        for (var blow = 1; blow <= (Run.IsLong ? 3 : 1); blow++)
        {
            await AnsweredAsync(crowd, 50 * blow);
            run.Tell("taking the broker's data");
            await system.Parts.LoseBrokerDataAsync();
        }
        await crowd.CloseAsync();
        run.Tell($"answers: {crowd.Counts}");
        // Whoever was told that it is not decided yet may have been in what was lost, and asks again.
        await audit.AnswersAreTrueAsync(attempts, await crowd.DecideAllAsync(attempts));
        await audit.EveryoneHasDocumentAndMailAsync();
    }

    [Fact(Timeout = Run.Deadline)]
    public async Task without_the_database_they_are_told_to_wait_and_decided_when_it_is_back()
    {
        var run = new Run();
        await using var smtp = new SmtpServer { Capabilities = { "SMTPUTF8" } }.Start();
        await using var system = await SignupSystem.StartAsync("nodatabase", With(smtp, "00:00:02"));
        var audit = new Audit(system, smtp);
        await audit.SubscribeAsync();
        var (addresses, entered, away) = Run.IsLong ? (1_000, 400, TimeSpan.FromSeconds(20)) : (300, 200, TimeSpan.FromSeconds(8));
        var attempts = new Addresses(run.Random).Attempts(addresses, 2, run.Id);
        await using var crowd = new Crowd(system.GatewayUrl, Clients);

        crowd.Enter(attempts.Take(entered));
        await AnsweredAsync(crowd, entered / 2);
        run.Tell("stopping PostgreSQL");
        await Parts.ProvisionAsync("down", "postgres");
        try
        {
            // Sign-ups keep coming all the time.
            var watch = Stopwatch.StartNew();
            await Wait.UntilAsync(() =>
            {
                if (crowd.Answered > entered - Clients && entered < attempts.Count - 100)
                {
                    crowd.Enter(attempts.Skip(entered).Take(Clients));
                    entered = Math.Min(entered + Clients, attempts.Count);
                }
                return Task.FromResult(watch.Elapsed > away);
            }, "it was away for long enough");
            crowd.Enter(attempts.Skip(entered));
        }
        finally
        {
            await Parts.ProvisionAsync("up", "postgres");
        }
        run.Tell($"PostgreSQL is back; answers: {crowd.Counts}");
        await crowd.CloseAsync();
        run.Tell($"answers: {crowd.Counts}");
        Assert.NotEqual(0, crowd.Count(HttpStatusCode.Accepted));
        Assert.Equal(0, crowd.Count(HttpStatusCode.ServiceUnavailable));

        // Nobody asks again: what is in the queue is decided without.
        var told = crowd.Answers.Count(a => a.Value.Status == 202);
        await Wait.UntilAsync(async () => (await audit.CreatedAsync()).Count == addresses, "every address has its account", TimeSpan.FromMinutes(2));
        run.Tell($"decided, of which {told} had been told to wait");
        await audit.AnswersAreTrueAsync(attempts, await crowd.DecideAllAsync(attempts));
        await audit.EveryoneHasHeardAsync();
    }

    private static Dictionary<string, string> With(SmtpServer smtp, string replyTimeout) =>
        new(when_instances_are_killed_while_people_sign_up.With(smtp)) { ["Signup__ReplyTimeout"] = replyTimeout };

    private static Task AnsweredAsync(Crowd crowd, int count) =>
        Wait.UntilAsync(() => Task.FromResult(crowd.Answered >= count), $"{count} sign-ups have an answer", TimeSpan.FromMinutes(2));
}
