using Signup.Tests.Chaos;

namespace Signup.Tests.Cluster;

public class when_the_broker_changes_its_size
{
    [Fact(Timeout = Run.Deadline)]
    public async Task from_three_nodes_to_one_and_back_people_go_on_signing_up()
    {
        await using var people = await People.ComeAsync("size");
        await people.SignUpAsync();
        foreach (var (nodes, said) in new[] { (1, "one node"), (3, "three nodes") })
        {
            await people.ProvisionAsync("nodes", $"{nodes}");
            await people.QueuesAreOnAsync(nodes);
            await people.SignUpAsync();
            people.NobodyHasWaitedLong(said);
        }
        await people.LeaveAsync();
    }
}
