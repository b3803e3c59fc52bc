using System.Text.RegularExpressions;
using Npgsql;
using RabbitMQ.Client;
using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Tests.Fixture;

namespace Signup.Tests.Integration.Operations;

[Collection("watched system")]
public sealed class when_an_operator_looks_at_a_system_in_trouble(WatchedSystem watched)
{
    [Fact]
    public async Task he_sees_that_the_mail_provider_is_down_and_how_many_mails_wait()
    {
        await watched.SignUpAsync();
        using var operators = await OpsBrowser.SignedInAsync(watched.System.GatewayUrl, WatchedSystem.Key);

        var mail = await PartAsync(operators, "Mail", "breaker open");

        Assert.Matches("(?s)^Mail <span[^>]*>in trouble<", mail);
        Assert.Matches("mail-provider</strong> degraded", mail);
        Assert.Matches(@"waiting [1-9]", mail);
        Assert.Contains("reason refused", mail, StringComparison.Ordinal);
        Assert.Matches(@"next probe \d{4}-", mail);
    }

    [Fact]
    public async Task he_sees_how_far_the_read_model_is_behind_and_that_it_catches_up()
    {
        using var operators = await OpsBrowser.SignedInAsync(watched.System.GatewayUrl, WatchedSystem.Key);
        await using (var connection = await watched.System.Database.OpenConnectionAsync())
        await using (await connection.BeginTransactionAsync())
        {
            // Whoever holds the checkpoint keeps Query from moving it.
            await using var hold = new NpgsqlCommand("select position from query.generation where state = 'live' for update", connection);
            await hold.ExecuteScalarAsync();
            await watched.SignUpAsync();
            await PartAsync(operators, "Query", @"behind events [1-9]\d*, behind seconds \d*\.?\d*[1-9]");
        }

        await PartAsync(operators, "Query", "behind events 0, behind seconds 0<");
    }

    [Fact]
    public async Task he_sees_what_waits_in_the_queue_of_a_process_that_is_away()
    {
        using var operators = await OpsBrowser.SignedInAsync(watched.System.GatewayUrl, WatchedSystem.Key);
        await watched.System["Accounts"].KillAsync();
        try
        {
            await using var channel = await watched.System.Broker.OpenConfirmingChannelAsync(CancellationToken.None);
            foreach (var command in Enumerable.Range(0, 3).Select(_ => OperatedSystem.NewSignUp()))
                await channel.BasicPublishAsync(Topology.Accounts, "", mandatory: true, OperatedSystem.AsNServiceBus(typeof(SignUp), command.AccountId.ToString()), OperatedSystem.Body(command));

            // RabbitMQ counts every five seconds.
            var accounts = await PartAsync(operators, "Accounts", "in queue</dt><dd>3<");
            Assert.Contains("3 messages in its queue", accounts, StringComparison.Ordinal);
            Assert.Matches("(?s)^Accounts <span[^>]*>does not answer<", accounts);
            await PartAsync(operators, "Accounts", "takers</dt><dd>0<");
        }
        finally
        {
            await watched.System["Accounts"].StartAsync();
        }

        await PartAsync(operators, "Accounts", "(?s)^Accounts <span[^>]*>well<.*in queue</dt><dd>0<");
    }

    [Fact]
    public async Task he_is_sent_to_ServicePulse_for_failed_messages_and_nothing_is_taken_from_ServiceControl()
    {
        using var operators = await OpsBrowser.SignedInAsync(watched.System.GatewayUrl, WatchedSystem.Key);
        Assert.Contains("Failed messages are in ServicePulse.", await operators.GetStringAsync("/ops"), StringComparison.Ordinal);
        await using var channel = await watched.System.Broker.OpenChannelAsync(CancellationToken.None);
        Assert.Equal(1u, (await channel.QueueDeclarePassiveAsync(Topology.Error)).ConsumerCount);
    }

    /// <summary>What the page shows of one process, once that matches.</summary>
    private static Task<string> PartAsync(HttpClient operators, string name, string pattern) => Wait.ForAsync(async () =>
    {
        var part = Regex.Match(await operators.GetStringAsync("/ops"), $"(?s)(?<=<h2>){name} <.*?(?=<h2)").Value;
        return Regex.IsMatch(part, pattern) ? part : null;
    }, $"{name} on the page: {pattern}");
}
