using Signup.Tests.Chaos;

namespace Signup.Tests.Cluster;

/// <summary>Two of each process, and three nodes of broker and database, of which one after the other is hit.</summary>
public class when_anything_is_away_while_thousands_sign_up
{
    private const int Addresses = 1_000, Spellings = 4, AtOnce = 64, Together = 2;

    /// <summary>Until all have noticed, and longer.</summary>
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(12);

    /// <summary>For what is given up only after half a minute (see <see cref="when_a_node_of_the_database_is_away"/>); where the primary is silent, not gone, and many wait at once, so that some are tried again late;
    /// and for those whose gateway is frozen, since nothing stands in front of it here that would give it up.</summary>
    private static readonly TimeSpan CutOff = TimeSpan.FromSeconds(45);

    /// <summary>The other nodes take five seconds to notice, then there is an election for each queue, and all of 64 wait for the same.</summary>
    private static readonly TimeSpan Frozen = TimeSpan.FromSeconds(15);

    [Theory(Timeout = Run.Deadline)]
    [InlineData("kill", "Accounts", "Uniqueness", "Query", "Mail", "Gateway")]
    [InlineData("freeze", "Accounts", "Uniqueness", "Query", "Mail", "Gateway")]
    // Processes are not on hosts of their own here; a frozen one is as silent.
    [InlineData("cut")]
    public async Task every_address_has_one_account_every_answer_was_true_and_everyone_has_heard(string blow, params string[] processes)
    {
        await using var people = await People.ComeAsync("anything", Addresses, Spellings, AtOnce, Together, instances: 2);
        await people.QueuesAreOnAsync(nodes: 3);
        await people.DatabaseIsOnAsync(nodes: 3);
        string[] victims = ["broker", "primary", "standby", .. processes];
        var share = (int)Math.Ceiling((double)Addresses * Spellings / victims.Length);
        foreach (var victim in people.Shuffle(victims))
        {
            people.Invite(share);
            await people.SignUpAsync(AtOnce);
            people.NobodyHasWaitedLong("all is well");
            if (processes.Contains(victim)) await people.HitAsync(victim, blow, Away);
            else await HitNodeAsync(people, victim, blow);
            await people.AllHaveAVerdictAsync();
            people.NobodyHasWaitedLong($"{blow} {victim}", (victim, blow) switch { ("primary", not "kill") or ("Gateway", "freeze") => CutOff, ("broker", "freeze") => Frozen, _ => null });
        }
        // A mail that was in somebody's hands.
        await people.LeaveAsync(blows: victims.Length);
    }

    private static async Task HitNodeAsync(People people, string part, string blow)
    {
        var (primary, standbys) = await people.DatabaseIsOnAsync(nodes: 3);
        var node = part switch { "broker" => people.Shuffle("rabbitmq1", "rabbitmq2", "rabbitmq3").First(), "primary" => primary, _ => people.Shuffle(standbys).First() };
        await people.ProvisionAsync(blow, node);
        if (part == "primary") await people.ProvisionAsync("promote", "postgres");
        await people.SignUpForAsync(Away);
        // As docs/cluster.md has it.
        string[] remedies = (part, blow) switch
        {
            ("broker", "cut") => ["mend", "kill", "up"],
            ("broker", "freeze") => ["kill", "up"],
            ("primary", "cut") => ["mend", "up"],
            ("standby", "cut") => ["mend"],
            ("standby", "freeze") => ["thaw"],
            _ => ["up"],
        };
        foreach (var remedy in remedies) await people.ProvisionAsync(remedy, node);
        await (part == "broker" ? people.QueuesAreOnAsync(nodes: 3) : people.DatabaseIsOnAsync(nodes: 3));
    }
}
