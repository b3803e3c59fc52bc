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
        services.AddHostedService<CreateTables>();
        services.AddHostedService<ForgetRejections>();
    }

    /// <summary>The rules in <c>uniqueness.json</c> beside the program, or in the file that <c>Uniqueness__File</c> names.</summary>
    /// <exception cref="UniquenessFileException">The file is wrong, or not there.</exception>
    public static UniquenessRules LoadRules(IConfiguration configuration)
    {
        var path = Path.Combine(AppContext.BaseDirectory, configuration["Uniqueness:File"] ?? "uniqueness.json");
        return File.Exists(path) ? UniquenessRules.Parse(File.ReadAllBytes(path), path) : throw new UniquenessFileException($"{path}: there is no such file.");
    }

    private sealed class CreateTables(NpgsqlDataSource database) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => ClaimTable.CreateAsync(database, cancellationToken);
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
