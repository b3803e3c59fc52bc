using Npgsql;
using Signup.Hosting;

namespace Signup.Uniqueness;

public static class UniquenessServices
{
    public static void AddUniqueness(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(LoadRules(configuration));
        services.AddLogWriter();
        services.AddSingleton<Proposals>().AddSingleton<Verdicts>();
        services.AddBeforeStart((s, cancellation) => ClaimTable.CreateAsync(s.GetRequiredService<NpgsqlDataSource>(), cancellation));
        services.AddRehearsal((s, _) => s.GetRequiredService<Proposals>().RehearseAsync());
        services.AddHostedService<ForgetRejections>();
        services.AddHealthChecks().AddCheck<ClaimsCheck>("claims");
    }

    /// <summary>The rules in <c>uniqueness.json</c> beside the program, or in the file that <c>Uniqueness__File</c> names.</summary>
    /// <exception cref="UniquenessFileException">The file is wrong, or not there.</exception>
    public static UniquenessRules LoadRules(IConfiguration configuration)
    {
        var path = Path.Combine(AppContext.BaseDirectory, configuration["Uniqueness:File"] ?? "uniqueness.json");
        return File.Exists(path) ? UniquenessRules.Parse(File.ReadAllBytes(path), path) : throw new UniquenessFileException($"{path}: there is no such file.");
    }
}
