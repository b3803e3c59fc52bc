using System.Diagnostics;
using System.Globalization;
using Marten;
using Npgsql;
using Signup.EventLog;
using Signup.Tests.Fixture;
using Stored = Signup.EventLog.Accounts;

namespace Signup.Bench.Mail;

/// <summary>The endpoint Mail, and accounts whose mails become due at one moment.</summary>
internal sealed class Backlog : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);
    private readonly SignupSystem _system;
    private readonly Sink _sink;
    private long _sent;

    private Backlog(SignupSystem system, Sink sink) => (_system, _sink) = (system, sink);

    /// <summary>Bytes of the endpoint's memory that are its own.</summary>
    public long Memory
    {
        get
        {
            using var process = Process.GetProcessById(_system["Mail"].Id);
            return process.WorkingSet64;
        }
    }

    public static async Task<Backlog> StartAsync(Sink sink, int connections) => new(await SignupSystem.StartAsync("benchmail", new Dictionary<string, string>
    {
        ["Smtp__Host"] = "127.0.0.1", ["Smtp__Port"] = sink.Port.ToString(CultureInfo.InvariantCulture), ["Smtp__Security"] = "None",
        ["Mail__Connections"] = connections.ToString(CultureInfo.InvariantCulture), ["Signup__PublicUrl"] = "https://signup.example",
    }, "Mail"), sink);

    /// <summary>Returns when they are sent, and the log says so. The sink counts from where most of the connections are open.</summary>
    /// <param name="ramp">How long after the first mail the sink begins to count.</param>
    /// <returns>The endpoint's CPU time meanwhile.</returns>
    public async Task<TimeSpan> SendAsync(int mails, TimeSpan ramp)
    {
        var now = DateTimeOffset.UtcNow;
        using var log = DocumentStore.For(o => LogStore.Configure(o, _system.Database));
        // Mail does not follow the log meanwhile: what it did for these accounts before their mails were due is not what is measured.
        await using var fill = await _system.Database.OpenConnectionAsync();
        await using var transaction = await fill.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("select from mail.checkpoint for update", fill)) await hold.ExecuteNonQueryAsync();
        foreach (var chunk in Enumerable.Range(0, mails).Chunk(500))
        {
            await using var session = log.LightweightSession();
            foreach (var i in chunk) session.Events.StartStream(Guid.CreateVersion7(), new Stored.AccountCreated("Ada Lovelace", $"user{i}@example.com", "$argon2id$", "en", now));
            await session.SaveChangesAsync();
        }
        using var process = Process.GetProcessById(_system["Mail"].Id);
        var before = process.TotalProcessorTime;
        _sink.Restart(ramp);
        await using (var rows = new NpgsqlCommand("""
            insert into mail.activation (id, status, state, due, due_at)
            select stream_id, 'waiting', jsonb_build_object('accountId', stream_id, 'username', data->>'username', 'email', data->>'email', 'language', 'en', 'createdAt', data->>'createdAt'), 'mail', now()
            from log.mt_events where type = 'AccountCreated' and seq_id > (select position from mail.checkpoint);
            update mail.checkpoint set position = (select max(seq_id) from log.mt_events)
            """, fill)) await rows.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        _sent += mails;
        await Wait.UntilAsync(() => Task.FromResult(_sink.Mails >= mails), "all mails are sent", Deadline);
        await Wait.UntilAsync(async () =>
        {
            await using var count = _system.Database.CreateCommand("select count(*) from log.mt_events where type = 'ActivationMailSent'");
            return (long)(await count.ExecuteScalarAsync())! == _sent;
        }, "all mails are in the log", Deadline);
        process.Refresh();
        return process.TotalProcessorTime - before;
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();
}
