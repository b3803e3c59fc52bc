using Npgsql;

namespace Signup.Tests.Integration;

public static class Tampering
{
    /// <summary>Changes or deletes events, as somebody does who has first given themselves what every process is refused.</summary>
    public static async Task TamperAsync(this NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand($"grant update, delete on log.mt_events, log.dropped to current_user; {sql}; revoke update, delete on log.mt_events, log.dropped from current_user");
        await command.ExecuteNonQueryAsync();
    }
}
