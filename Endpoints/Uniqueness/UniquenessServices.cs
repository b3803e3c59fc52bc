using Npgsql;

namespace Signup.Uniqueness;

public static class UniquenessServices
{
    public static void AddUniqueness(this IServiceCollection services, IConfiguration configuration)
    {
        var path = Path.Combine(AppContext.BaseDirectory, configuration["Uniqueness:File"] ?? "uniqueness.json");
        services.AddSingleton(UniquenessRules.Parse(File.ReadAllBytes(path), path));
        services.AddSingleton<Proposals>();
        services.AddHostedService<CreateTables>();
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
