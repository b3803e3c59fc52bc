using Npgsql;
using RabbitMQ.Client;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Tests.Chaos;

/// <summary>Whoever is to hear of an event hears of it, whenever whoever appended or published it dies.</summary>
public sealed class when_an_instance_dies_before_others_have_heard : IAsyncLifetime
{
    private const string Subscriber = "subscriber";

    private SignupSystem _system = null!;
    private SignupProcess _other = null!;
    private IChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _system = await SignupSystem.StartAsync("unheard", null, "Accounts", "Uniqueness");
        _channel = await _system.Broker.OpenChannelAsync(Wait.Token);
        await Partner.SubscribeAsync(_channel, Subscriber, typeof(AccountCreated));
        _other = _system.Add("Uniqueness");
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact(Timeout = Run.Deadline)]
    public async Task between_commit_and_publish_another_publishes_it()
    {
        // Whoever would publish waits for this.
        await using var database = NpgsqlDataSource.Create(_system.Parts.Postgres);
        await using var connection = await database.OpenConnectionAsync();
        Guid account;
        await using (await connection.BeginTransactionAsync())
        {
            await using (var take = new NpgsqlCommand("select from publisher.checkpoint for update", connection)) await take.ExecuteNonQueryAsync();
            account = await SignUpAsync();
            await Task.WhenAll(_system["Uniqueness"].KillAsync(), _system["Accounts"].KillAsync());
            Assert.Null(await _channel.BasicGetAsync(Subscriber, autoAck: true));
        }
        await _other.StartAsync();
        Assert.Equal([account], (await HearAsync(1)).Select(m => m.Account));
    }

    [Fact(Timeout = Run.Deadline)]
    public async Task between_confirm_and_checkpoint_another_publishes_it_again_under_the_same_id_and_skips_nothing()
    {
        await _system["Accounts"].StopAsync();
        await using var database = NpgsqlDataSource.Create(_system.Parts.Postgres);
        // The checkpoint moves once this lock is given up.
        await using (var trigger = database.CreateCommand("""
            create function publisher.wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(4711); return new; end $$;
            create trigger wait before update on publisher.checkpoint for each row execute function publisher.wait();
            """)) await trigger.ExecuteNonQueryAsync();
        await using var connection = await database.OpenConnectionAsync();
        var accounts = new List<Guid>();
        IReadOnlyList<(string? Id, Guid Account)> first;
        await using (await connection.BeginTransactionAsync())
        {
            await using (var take = new NpgsqlCommand("select pg_advisory_xact_lock(4711)", connection)) await take.ExecuteNonQueryAsync();
            accounts.Add(await ProposeAsync());
            first = await HearAsync(1);
            accounts.Add(await ProposeAsync());
            await _system["Uniqueness"].KillAsync();
        }
        await _other.StartAsync();

        var again = await HearAsync(2);
        Assert.Equal(accounts[..1], first.Select(m => m.Account));
        Assert.Equal(accounts, again.Select(m => m.Account));
        Assert.Equal(first[0].Id, again[0].Id);
    }

    private async Task<Guid> SignUpAsync()
    {
        var command = new SignUp(Guid.CreateVersion7(), "ada", $"{Guid.NewGuid():N}@example.org", "$argon2id$test", "en", DateTimeOffset.UtcNow);
        var verdict = await _system.Commands.AskAsync<Verdict>("accounts", command, command.AccountId, TimeSpan.FromSeconds(20), CancellationToken.None);
        Assert.Equal(VerdictOutcome.Accepted, verdict!.Outcome);
        return command.AccountId;
    }

    private async Task<Guid> ProposeAsync()
    {
        var account = Guid.NewGuid();
        var proposal = new ProposeEvent(account, Guid.NewGuid(), 0, "AccountCreated", System.Text.Json.JsonSerializer.SerializeToElement(
            new { username = "ada", email = $"{account:N}@example.org", passwordHash = "$x", language = "en", createdAt = DateTimeOffset.UnixEpoch }));
        var verdict = await _system.Commands.AskAsync<Verdict>("uniqueness", proposal, proposal.EventId, TimeSpan.FromSeconds(20), CancellationToken.None);
        Assert.Equal(VerdictOutcome.Accepted, verdict!.Outcome);
        return account;
    }

    private async Task<IReadOnlyList<(string? Id, Guid Account)>> HearAsync(int count)
    {
        var heard = new List<(string?, Guid)>();
        await Wait.UntilAsync(async () =>
        {
            while (heard.Count < count && await _channel.BasicGetAsync(Subscriber, autoAck: true) is { } message)
                heard.Add((message.BasicProperties.MessageId, System.Text.Json.JsonSerializer.Deserialize<AccountCreated>(message.Body.Span, Wire.Json)!.AccountId));
            return heard.Count == count;
        }, $"{count} messages came");
        return heard;
    }
}
