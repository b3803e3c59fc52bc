using Signup.Tests.Chaos;

namespace Signup.Tests.Cluster;

public class when_a_node_of_the_database_is_away
{
    /// <summary>Until all have noticed, and longer.</summary>
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(15);

    /// <summary>A statement that went to a server from which nothing comes any more is given up after 30 s (Npgsql's Command Timeout), and what it was for is tried again.</summary>
    private static readonly TimeSpan CutOff = TimeSpan.FromSeconds(45);

    [Theory(Timeout = Run.Deadline)]
    [InlineData("kill", "up")]
    [InlineData("cut", "mend", "up")]
    [InlineData("freeze", "up")]
    public async Task another_one_takes_the_place_of_the_primary_and_nothing_is_lost(string blow, params string[] remedies)
    {
        await using var people = await People.ComeAsync("primary");
        // The second time it is not the one that all ask first.
        for (var n = 0; n < 2; n++)
        {
            var (primary, _) = await people.DatabaseIsOnAsync(nodes: 3);
            await people.SignUpAsync();
            people.NobodyHasWaitedLong("all is well");
            await people.ProvisionAsync(blow, primary);
            await people.ProvisionAsync("promote", "postgres");
            await people.SignUpForAsync(Away);
            foreach (var remedy in remedies) await people.ProvisionAsync(remedy, primary);
            await people.DatabaseIsOnAsync(nodes: 3);
            people.NobodyHasWaitedLong($"{blow} {primary}", blow == "cut" ? CutOff : null);
        }
        await people.LeaveAsync();
    }

    [Theory(Timeout = Run.Deadline)]
    [InlineData("kill", "up")]
    [InlineData("cut", "mend")]
    [InlineData("freeze", "thaw")]
    public async Task nobody_waits_long_for_a_standby(string blow, string remedy)
    {
        await using var people = await People.ComeAsync("standby");
        foreach (var standby in (await people.DatabaseIsOnAsync(nodes: 3)).Standbys)
        {
            await people.SignUpAsync();
            people.NobodyHasWaitedLong("all is well");
            await people.ProvisionAsync(blow, standby);
            await people.SignUpForAsync(Away);
            await people.ProvisionAsync(remedy, standby);
            await people.DatabaseIsOnAsync(nodes: 3);
            people.NobodyHasWaitedLong($"{blow} {standby}");
        }
        await people.LeaveAsync();
    }
}
