using Npgsql;

namespace Signup.EventLog;

/// <summary>
/// Finds the primary among several hosts again once it is another one. Npgsql remembers what each host is, and asks them in their order when it has forgotten: whoever needs a connection then waits for those that do not
/// answer. So it is told to remember for long, and to forget when the primary that it knows of is gone, which is found out here, once a second.
/// https://www.npgsql.org/doc/failover-and-load-balancing.html
/// </summary>
internal static class PrimaryWatch
{
    /// <summary>In seconds.</summary>
    public const int RememberFor = 3600, Patience = 3;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Until it is disposed of.</summary>
    public static void Begin(NpgsqlMultiHostDataSource database) => _ = RunAsync(database);

    private static async Task RunAsync(NpgsqlMultiHostDataSource database)
    {
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync())
        {
            try
            {
                if (!await IsThereAsync(database)) database.ClearDatabaseStates();
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static async Task<bool> IsThereAsync(NpgsqlMultiHostDataSource database)
    {
        try
        {
            await using var command = database.CreateCommand("select 1");
            command.CommandTimeout = Patience;
            await command.ExecuteNonQueryAsync();
            return true;
        }
        catch (Exception e) when (e is not ObjectDisposedException)
        {
            return false;
        }
    }
}
