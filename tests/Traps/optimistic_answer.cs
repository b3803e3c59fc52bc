using System.Text;
using RabbitMQ.Client;
using Signup.Tests.Integration.Gateway;

namespace Signup.Tests.Traps;

public sealed class optimistic_answer(Stage stage)
{
    [Fact]
    public async Task both_who_want_one_address_are_welcomed_and_one_has_no_account_but_here_who_is_not_decided_upon_yet_hears_that()
    {
        await using var database = await Stage.NaiveDatabaseAsync("create table accounts (email text primary key, name text)");
        await using var channel = await stage.System.Broker.OpenChannelAsync(Wait.Token);
        await channel.QueueDeclareAsync("naive-optimist", durable: true, exclusive: false, autoDelete: false);
        var naive = new Optimist(database, channel);

        Story.Tell("Ada and Eve want the same address, and are answered before anybody has looked.");
        var welcomes = new[] { await naive.SignUpAsync("Ada"), await naive.SignUpAsync("Eve") };
        await Wait.UntilAsync(async () => await channel.MessageCountAsync("naive-optimist") == 2, "both are in the queue");
        for (var n = 0; n < 2; n++) await naive.HandleNextAsync();
        await using var connection = await database.OpenConnectionAsync();
        Assert.Equal(["welcome, Ada", "welcome, Eve"], welcomes);
        Assert.Equal(["Ada"], await connection.QueryAsync<string>("select name from accounts"));
        Story.Tell("Eve was told that she is welcome. She has no account, and has left.");

        Story.Tell("Here: the same, while nobody decides. A gateway that waits for a second answers both.");
        var (email, accounts) = (Stage.NewEmail(), stage.System["Accounts"]);
        using var gateway = await stage.AnotherAsync(("Signup__ReplyTimeout", "00:00:01"));
        Answer[] answers;
        await accounts.FreezeAsync();
        try
        {
            answers = await Task.WhenAll(stage.SignUpAsync(email, "Ada", gateway), stage.SignUpAsync(email, "Eve", gateway));
        }
        finally
        {
            await accounts.ContinueAsync();
        }
        Assert.Equal([202, 202], answers.Select(a => a.Status));
        var decided = await Task.WhenAll(answers.Select(a => Wait.ForAsync(async () => await StatusAsync(a) is { Status: 200 } status ? status : null, "it is decided")));
        Assert.Equal(["pending", "refused"], decided.Select(d => (string?)d.Json["status"]).Order());
        Story.Tell("Both heard that nothing is decided yet. By the same page each learned what became of it, and so would they have at once, had somebody been there to decide:");
        Assert.Equal(409, (await stage.SignUpAsync(email, "Mallory")).Status);

        Task<Answer> StatusAsync(Answer answer) => gateway.GetAsync($"/users/{answer.Json["id"]}", GatewayHttp.Bearer(answer.Json));
    }
}

file sealed class Optimist(NpgsqlDataSource database, IChannel channel)
{
    public async Task<string> SignUpAsync(string name)
    {
        await channel.BasicPublishAsync("", "naive-optimist", Encoding.UTF8.GetBytes(name));
        return $"welcome, {name}";
    }

    public async Task HandleNextAsync()
    {
        var message = await channel.BasicGetAsync("naive-optimist", autoAck: true);
        await using var connection = await database.OpenConnectionAsync();
        // Where it is taken: whom could it tell?
        await connection.ExecuteAsync("insert into accounts values ('shared@example.org', @name) on conflict do nothing", new { name = Encoding.UTF8.GetString(message!.Body.Span) });
    }
}
