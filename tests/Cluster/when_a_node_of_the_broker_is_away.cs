using Signup.Tests.Chaos;

namespace Signup.Tests.Cluster;

public class when_a_node_of_the_broker_is_away
{
    /// <summary>Until all have noticed, and longer.</summary>
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(15);

    [Theory(Timeout = Run.Deadline)]
    [InlineData("kill", "up")]
    // One that was away for a while may hang while it joins, and one that was frozen does not know what it has missed: both are started anew (docs/cluster.md).
    [InlineData("cut", "mend", "kill", "up")]
    [InlineData("freeze", "kill", "up")]
    public async Task nobody_waits_longer_than_ten_seconds_and_nothing_is_lost(string blow, params string[] remedies)
    {
        await using var people = await People.ComeAsync("brokers");
        await people.QueuesAreOnAsync(nodes: 3);
        foreach (var node in people.Shuffle("rabbitmq1", "rabbitmq2", "rabbitmq3"))
        {
            await people.SignUpAsync();
            people.NobodyHasWaitedLong("all is well");
            await people.ProvisionAsync(blow, node);
            await people.SignUpForAsync(Away);
            foreach (var remedy in remedies) await people.ProvisionAsync(remedy, node);
            await people.QueuesAreOnAsync(nodes: 3);
            people.NobodyHasWaitedLong($"{blow} {node}");
        }
        await people.LeaveAsync();
    }
}
