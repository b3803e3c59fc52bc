using Npgsql;
using Signup.EventLog;

namespace Signup.Mail;

/// <summary>
/// Notes in the mail's row that the provider has taken a mail, before state and log are told: should this process die now, nobody sends the mail again. The database
/// does not wait for its disk to say so, which makes a note much cheaper than a commit. Should the database itself crash in the same second, the note is
/// lost, and the mail is sent twice.
/// </summary>
public sealed class SentNotes(string connectionString) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _database = LogStore.Connect($"{connectionString};No Reset On Close=true", "-c synchronous_commit=off");

    public async Task NoteAsync(Guid id, string purpose, DateTimeOffset at)
    {
        await using var command = _database.CreateCommand("update mail.activation set sent = $1, sent_at = $2 where id = $3");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = purpose });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = at });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await command.ExecuteNonQueryAsync();
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
