using Signup.Hosting;
using Signup.Tests.Fixture;

namespace Signup.Tests.Integration.Operations;

public sealed class when_the_bus_itself_fails
{
    /// <summary>By this the processes agree who publishes what a dead one has left in its outbox.</summary>
    [Fact]
    public async Task its_own_messages_to_itself_go_on_when_the_database_works_again_and_are_no_failed_messages()
    {
        await using var system = await SignupSystem.StartAsync("busfails", null, "Accounts");
        await ExecuteAsync(system, "alter table accounts.wolverine_control_queue rename to gone");
        await Wait.UntilAsync(() => Task.FromResult(system["Accounts"].LogLines("Failed to process message Wolverine").Length > 0), "the bus has failed");
        await ExecuteAsync(system, "alter table accounts.gone rename to wolverine_control_queue");

        // What is over it deletes whenever it looks.
        await ExecuteAsync(system, "insert into accounts.wolverine_control_queue (id, message_type, node_id, body, expires) values (gen_random_uuid(), 'none', gen_random_uuid(), '', now() - interval '1 hour')");
        await using var left = system.Database.CreateCommand("select count(*) from accounts.wolverine_control_queue where message_type = 'none'");
        await Wait.UntilAsync(async () => (long)(await left.ExecuteScalarAsync())! == 0, "the bus looks into its queue again");
        await using var channel = await system.Broker.OpenChannelAsync(Wait.Token);
        Assert.Equal(0u, await channel.MessageCountAsync(Topology.Error));
    }

    private static async Task ExecuteAsync(SignupSystem system, string sql)
    {
        await using var command = system.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
