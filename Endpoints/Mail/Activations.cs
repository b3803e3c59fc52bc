using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using JasperFx.Events;
using Marten;
using Npgsql;
using NpgsqlTypes;
using Signup.Hosting;

namespace Signup.Mail;

/// <summary>A mail, or an expiry, that this process has taken to do.</summary>
/// <param name="Until">Nobody else takes it before.</param>
public sealed record Taken(Activation State, Due Due, DateTimeOffset Until);

/// <summary>
/// The saga's state: one row per account in <c>mail.activation</c>. Timers, retries and backlog are all the same thing, rows that are due,
/// so nothing but the database holds them, and any number of processes can work on them.
/// </summary>
public sealed class Activations
{
    /// <summary>More than one session at once does not pay: the next batch grows while one is being committed.</summary>
    private const int MaxBatch = 200;

    /// <summary>First key of the advisory locks by which processes show that they live.</summary>
    private const int LeaseLocks = 0x6d61696c;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly string[] Kinds = ["mail", "expiry"];

    private readonly NpgsqlDataSource _database;
    private readonly IDocumentStore _log;
    private readonly ActivationPolicy _policy;
    private readonly TimeProvider _time;
    private readonly GroupCommit<Request, Decision> _commits;

    public Activations(NpgsqlDataSource database, IDocumentStore log, ActivationPolicy policy, TimeProvider time)
    {
        (_database, _log, _policy, _time) = (database, log, policy, time);
        _commits = new(CommitAsync, MaxBatch);
    }

    /// <summary>Set when a commit has made something due at once.</summary>
    public Signal Due { get; } = new();

    /// <summary>Decides on the account's current state and commits the decision: state and facts in one transaction, shared with whoever decides
    /// at the same time. May call <paramref name="decide"/> more than once.</summary>
    /// <returns>What was decided, after the commit.</returns>
    public Task<Decision> DecideAsync(Guid accountId, Func<Activation?, Decision> decide) => _commits.SubmitAsync(new(accountId, decide));

    /// <summary>Creates the table, or waits for the process that is creating it.</summary>
    public async Task CreateTableAsync(CancellationToken cancellation)
    {
        const string sql = """
            select pg_advisory_xact_lock(hashtext('mail.activation'));
            create schema if not exists mail;
            create table if not exists mail.activation (
                account_id uuid primary key,
                status     text not null,
                state      jsonb not null,
                due        text,        -- 'mail' or 'expiry'; null: nothing, ever
                due_at     timestamptz, -- when to look at the row next; the lease's end while a process is at work on it
                taken_by   int          -- that process; null: nobody
            ) with (fillfactor = 70);
            create index if not exists activation_due on mail.activation (due, due_at) where due is not null;
            create table if not exists mail.journal (name text not null);
            insert into mail.journal select gen_random_uuid() where not exists (select from mail.journal);
            """;
        await using var connection = await _database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>The folder, under <paramref name="parent"/>, of the <see cref="SentJournal"/> that belongs to this database and no other.</summary>
    public async Task<string> JournalAsync(string parent, CancellationToken cancellation)
    {
        await using var command = _database.CreateCommand("select name from mail.journal");
        var name = (string)(await command.ExecuteScalarAsync(cancellation))!;
        return Path.Combine(parent.Length > 0 ? parent : Path.GetTempPath(), $"signup-mail-{name}");
    }

    /// <summary>Takes up to <paramref name="limit"/> of what is due, the longest due first. Nobody else gets it before <paramref name="until"/>.</summary>
    public async Task<IReadOnlyList<Taken>> TakeAsync(bool mails, int limit, int owner, DateTimeOffset until, CancellationToken cancellation)
    {
        const string sql = """
            update mail.activation a set due_at = @until, taken_by = @owner
            from (select account_id from mail.activation where due = @due and due_at <= @now order by due_at limit @limit for update skip locked) d
            where a.account_id = d.account_id
            returning a.state
            """;
        var now = _time.GetUtcNow();
        await using var command = _database.CreateCommand(sql);
        command.Parameters.AddWithValue("until", until);
        command.Parameters.AddWithValue("owner", owner);
        command.Parameters.AddWithValue("due", mails ? Kinds[0] : Kinds[1]);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("limit", limit);
        var taken = new List<Taken>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var state = Read(reader.GetString(0));
            // The database rounds times to a microsecond: what it says is due is due.
            if (_policy.WhatIsDue(state) is { } due && _policy.WhatIsDue(state, due.At > now ? due.At : now) is { } work) taken.Add(new(state, work, until));
        }
        return taken;
    }

    /// <summary>Gives back what was taken and not done: it is due again at once.</summary>
    public async Task GiveBackAsync(IReadOnlyCollection<Guid> accountIds, int owner, CancellationToken cancellation)
    {
        if (accountIds.Count == 0) return;
        await using var command = _database.CreateCommand(
            "update mail.activation set due_at = @now, taken_by = null where account_id = any(@ids) and taken_by = @owner");
        command.Parameters.AddWithValue("now", _time.GetUtcNow());
        command.Parameters.AddWithValue("ids", accountIds.ToArray());
        command.Parameters.AddWithValue("owner", owner);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>How many mails are due by now and wait, counted up to 100,000.</summary>
    public async Task<long> BacklogAsync(CancellationToken cancellation)
    {
        await using var command = _database.CreateCommand(
            "select count(*) from (select from mail.activation where due = 'mail' and due_at <= @now limit 100000) d");
        command.Parameters.AddWithValue("now", _time.GetUtcNow());
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>A connection that shows that <paramref name="owner"/> lives, for as long as it is open.</summary>
    /// <exception cref="InvalidOperationException">Someone else is called the same.</exception>
    public async Task<NpgsqlConnection> ShowLifeAsync(int owner, CancellationToken cancellation)
    {
        var connection = await _database.OpenConnectionAsync(cancellation);
        try
        {
            await using var command = new NpgsqlCommand("select pg_try_advisory_lock(@locks, @owner)", connection);
            command.Parameters.AddWithValue("locks", LeaseLocks);
            command.Parameters.AddWithValue("owner", owner);
            if (!(bool)(await command.ExecuteScalarAsync(cancellation))!) throw new InvalidOperationException("Another process has this lease owner's number.");
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes due again what processes had taken that are no longer alive.</summary>
    /// <param name="life">The caller's own, see <see cref="ShowLifeAsync"/>.</param>
    /// <returns>How many it was.</returns>
    public async Task<int> ReclaimAsync(NpgsqlConnection life, DateTimeOffset latestLease, CancellationToken cancellation)
    {
        const string sql = """
            update mail.activation set due_at = @now, taken_by = null
            where due is not null and due = any(@kinds) and due_at between @now and @latest and taken_by is not null
              and not exists (select from pg_locks l join pg_database d on d.oid = l.database
                              where l.locktype = 'advisory' and d.datname = current_database() and l.classid = @locks::int::oid and l.objid = taken_by::oid and l.objsubid = 2)
            """;
        await using var command = new NpgsqlCommand(sql, life);
        command.Parameters.AddWithValue("now", _time.GetUtcNow());
        command.Parameters.AddWithValue("kinds", Kinds);
        command.Parameters.AddWithValue("latest", latestLease);
        command.Parameters.AddWithValue("locks", LeaseLocks);
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    private async Task<IReadOnlyList<Decision>> CommitAsync(IReadOnlyList<Request> requests)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryCommitAsync(requests);
            }
            catch (Exception e) when (attempt < 5 && HasMovedOn(e))
            {
                // Someone else appended to one of the streams, or created one of the rows, in the meantime: decide again on what is there now.
            }
        }
    }

    private async Task<IReadOnlyList<Decision>> TryCommitAsync(IReadOnlyList<Request> requests)
    {
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var known = await LoadAsync(connection, requests);
        var before = new Dictionary<Guid, Activation>(known);
        var facts = new SortedDictionary<Guid, List<object>>();
        var decisions = new Decision[requests.Count];
        for (var i = 0; i < requests.Count; i++)
        {
            var (id, decide) = requests[i];
            var decision = decisions[i] = decide(known.GetValueOrDefault(id));
            if (decision.State is not null) known[id] = decision.State;
            if (decision.Facts.Count == 0) continue;
            if (!facts.TryGetValue(id, out var ofAccount)) facts[id] = ofAccount = [];
            ofAccount.AddRange(decision.Facts);
        }

        var changed = known.Values.Where(s => !ReferenceEquals(s, before.GetValueOrDefault(s.AccountId))).OrderBy(s => s.AccountId).ToList();
        if (changed.Count > 0) await SaveAsync(connection, changed, before);
        if (facts.Count > 0) await AppendAsync(transaction, facts);
        await transaction.CommitAsync();
        var now = _time.GetUtcNow();
        if (changed.Exists(s => _policy.WhatIsDue(s, now) is not null)) Due.Set();
        return decisions;
    }

    private static async Task<Dictionary<Guid, Activation>> LoadAsync(NpgsqlConnection connection, IReadOnlyList<Request> requests)
    {
        // In one order everywhere, so that two batches wait for each other rather than deadlock.
        await using var command = new NpgsqlCommand(
            "select state from mail.activation where account_id = any(@ids) order by account_id for update", connection);
        command.Parameters.AddWithValue("ids", requests.Select(r => r.AccountId).Distinct().ToArray());
        var states = new Dictionary<Guid, Activation>(requests.Count);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var state = Read(reader.GetString(0));
            states[state.AccountId] = state;
        }
        return states;
    }

    /// <summary>A row whose due time stays the same stays taken, if it was.</summary>
    private async Task SaveAsync(NpgsqlConnection connection, List<Activation> states, Dictionary<Guid, Activation> before)
    {
        const string rows = "unnest(@ids, @statuses, @states, @dues, @dueAts, @moved) as n (account_id, status, state, due, due_at, moved)";
        await using var batch = new NpgsqlBatch(connection);
        foreach (var (isNew, group) in states.GroupBy(s => !before.ContainsKey(s.AccountId)).Select(g => (g.Key, g.ToList())))
        {
            var dues = group.ConvertAll(_policy.WhatIsDue);
            var command = new NpgsqlBatchCommand(isNew
                ? $"insert into mail.activation (account_id, status, state, due, due_at) select account_id, status, state, due, due_at from {rows}"
                : $"""
                   update mail.activation a set status = n.status, state = n.state,
                          due = n.due, due_at = case when n.moved then n.due_at else a.due_at end, taken_by = case when n.moved then null else a.taken_by end
                   from {rows} where a.account_id = n.account_id
                   """);
            command.Parameters.AddWithValue("ids", group.ConvertAll(s => s.AccountId));
            command.Parameters.AddWithValue("statuses", group.ConvertAll(s => Name(s.Status)));
            command.Parameters.AddWithValue("states", NpgsqlDbType.Array | NpgsqlDbType.Jsonb, group.ConvertAll(Write));
            command.Parameters.AddWithValue("dues", group.Select((_, i) => dues[i] is { } due ? due.Purpose is null ? Kinds[1] : Kinds[0] : null).ToArray());
            command.Parameters.AddWithValue("dueAts", dues.ConvertAll(d => d?.At.ToUniversalTime()));
            command.Parameters.AddWithValue("moved", group.Select((s, i) => !before.TryGetValue(s.AccountId, out var old) || _policy.WhatIsDue(old) != dues[i]).ToArray());
            batch.BatchCommands.Add(command);
        }
        await batch.ExecuteNonQueryAsync();
    }

    private async Task AppendAsync(NpgsqlTransaction transaction, SortedDictionary<Guid, List<object>> facts)
    {
        await using var session = _log.LightweightSession(Marten.Services.SessionOptions.ForTransaction(transaction));
        foreach (var (id, ofAccount) in facts) session.Events.Append(id, ofAccount);
        await session.SaveChangesAsync();
    }

    private static bool HasMovedOn(Exception e) => e switch
    {
        EventStreamUnexpectedMaxEventIdException => true,
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure } => true,
        { InnerException: { } inner } => HasMovedOn(inner),
        _ => false,
    };

    private static Activation Read(string json) => JsonSerializer.Deserialize<Activation>(json, Json)!;

    private static string Write(Activation state) => JsonSerializer.Serialize(state, Json);

    private static string Name(ActivationStatus status) => JsonNamingPolicy.CamelCase.ConvertName(status.ToString());

    private sealed record Request(Guid AccountId, Func<Activation?, Decision> Decide);
}
