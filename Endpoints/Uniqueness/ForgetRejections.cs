using Npgsql;

namespace Signup.Uniqueness;

/// <summary>A "no" is remembered as long as its proposal may still be on its way to us again, and not for ever.</summary>
internal sealed partial class ForgetRejections(NpgsqlDataSource database, IConfiguration configuration, ILogger<ForgetRejections> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private readonly TimeSpan _keep = configuration.GetValue("Uniqueness:KeepRejections", TimeSpan.FromDays(30));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await using var command = database.CreateCommand("delete from uniqueness.rejections where at < now() - $1");
                command.Parameters.Add(new() { Value = _keep });
                var count = await command.ExecuteNonQueryAsync(stoppingToken);
                Forgotten(logger, count);
            }
            catch (NpgsqlException e)
            {
                NotNow(logger, e);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Forgot {Count} old rejections")]
    private static partial void Forgotten(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old rejections stay until the next try")]
    private static partial void NotNow(ILogger logger, Exception e);
}
