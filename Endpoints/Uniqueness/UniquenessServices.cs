using Npgsql;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Hosting.Handling;

namespace Signup.Uniqueness;

public static class UniquenessServices
{
    public static void AddUniqueness(this IServiceCollection services, IConfiguration configuration)
    {
        var rules = LoadRules(configuration);
        if (configuration.GetValue<bool>("Signup:HideTaken")) CheckThatTakenCanBeHidden(rules);
        services.AddSingleton(rules);
        services.AddLogWriter();
        services.AddSingleton<Proposals>().AddSingleton<Verdicts>();
        services.AddBeforeStart((s, cancellation) => ClaimTable.CreateAsync(s.GetRequiredService<NpgsqlDataSource>(), cancellation));
        services.AddRehearsal((s, _) => s.GetRequiredService<Proposals>().RehearseAsync());
        services.AddHostedService<ForgetRejections>();
        services.AddHealthChecks().AddCheck<ClaimsCheck>("claims");
    }

    /// <exception cref="UniquenessFileException">An event claims several values, so that one that is taken could be found out by another: who signs up twice with a name of their own is told at the second time whether the
    /// first was accepted.</exception>
    internal static void CheckThatTakenCanBeHidden(UniquenessRules rules)
    {
        foreach (var name in rules.EventNames)
        {
            if (rules.RulesFor(name).FirstOrDefault(r => r is { Action: ClaimAction.Reserve, Unless: null }) is { } reservation)
                throw new UniquenessFileException($"With Signup:HideTaken, {name} must say 'unless' where it reserves {reservation.Constraint}, as the uniqueness.json beside the program does: else whoever wants what is taken is told so.");
            var constraints = rules.RulesFor(name).Where(r => r.Action == ClaimAction.Create).Select(r => r.Constraint).ToList();
            if (constraints.Count > 1) throw new UniquenessFileException($"With Signup:HideTaken, an event may claim one value: {name} claims {string.Join(" and ", constraints)}, and whether one of them was taken would show by the other.");
        }
    }

    /// <summary>The rules in <c>uniqueness.json</c> beside the program, or in the file that <c>Uniqueness__File</c> names.</summary>
    /// <exception cref="UniquenessFileException">The file is wrong, or not there.</exception>
    public static UniquenessRules LoadRules(IConfiguration configuration)
    {
        var path = Path.Combine(AppContext.BaseDirectory, configuration["Uniqueness:File"] ?? "uniqueness.json");
        return File.Exists(path) ? UniquenessRules.Parse(File.ReadAllBytes(path), path) : throw new UniquenessFileException($"{path}: there is no such file.");
    }
}
