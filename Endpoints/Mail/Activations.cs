using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;
using NpgsqlTypes;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Hosting.Following;
using Signup.Hosting.Handling;
using Signup.Hosting.RabbitMq;

namespace Signup.Mail;

/// <summary>A mail, or an expiry, that this process has taken to do.</summary>
/// <param name="Purpose">Of the mail; null: ask Accounts to expire the account.</param>
/// <param name="Sent">When the provider took this mail already, and who had sent it died before the state knew.</param>
public sealed record Taken(Activation State, string? Purpose, DateTimeOffset? Sent);

/// <summary>
/// The saga's state: one row per pending account in <c>mail.activation</c>, and one per notice. Timers, retries and backlog are all the same thing, rows that are due,
/// so nothing but the database holds them, and any number of processes can work on them.
/// </summary>
public sealed class Activations
{
    /// <summary>More than one session at once does not pay: the next batch grows while one is being committed.</summary>
    private const int MaxBatch = 200;

    /// <summary>First key of the advisory locks by which processes show that they live.</summary>
    private const int LifeLocks = 0x6d61696c;

    /// <summary>One for each connection, and one for expiries.</summary>
    private const int MostLoops = 512;

    /// <summary>After so long, what a loop has taken is anyone's, should it hang. What one dies with is anyone's at once.</summary>
    private static readonly TimeSpan LongestWork = TimeSpan.FromMinutes(15);

    /// <summary>The database rounds times to a microsecond: what it says is due is due.</summary>
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(1);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly string[] Kinds = ["mail", "expiry"];

    private readonly NpgsqlDataSource _database;
    private readonly ActivationPolicy _policy;
    private readonly EventPublisher _publisher;
    private readonly TimeProvider _time;
    private readonly GroupCommit<Request, Decision> _commits;

    /// <summary>Rows name the loop that has taken them: its number in the process, from here on.</summary>
    private readonly int _first = Random.Shared.Next(1 << 20) * MostLoops;

    public Activations(NpgsqlDataSource database, ActivationPolicy policy, EventPublisher publisher, TimeProvider time)
    {
        (_database, _policy, _publisher, _time) = (database, policy, publisher, time);
        _commits = new(CommitAsync, MaxBatch);
    }

    /// <summary>Signalled when something may have become due by what this process has committed.</summary>
    public WakeUp Changed { get; } = new();

    /// <summary>Decides on the account's current state and commits the decision: state and facts in one transaction, shared with whoever decides
    /// at the same time. May call <paramref name="decide"/> more than once.</summary>
    /// <returns>What was decided, after the commit.</returns>
    public async Task<Decision> DecideAsync(Guid accountId, Func<Activation?, Decision> decide)
    {
        var decision = await _commits.SubmitAsync(new(accountId, accountId, decide, Loop: null));
        Changed.Signal();
        return decision;
    }

    /// <summary>As <see cref="DecideAsync"/>, for what a loop of this process has taken, which it gives back.</summary>
    /// <param name="decide">Null: nothing has come of it.</param>
    public Task ReleaseAsync(int loop, Activation taken, Func<Activation?, Decision>? decide = null) => _commits.SubmitAsync(new(taken.Id, taken.AccountId, decide ?? (state => new(state)), loop));

    /// <summary>Applies events that follow the checkpoint, and moves the checkpoint, in the connection's transaction.</summary>
    /// <param name="position">Of the last of them.</param>
    public Task ApplyAsync(NpgsqlConnection connection, IReadOnlyList<(Guid Id, Func<Activation?, Activation?> Apply)> events, long position) =>
        DecideAllAsync(connection, [.. events.Select(e => new Request(e.Id, e.Id, state => new(e.Apply(state)), Loop: null))], position);

    /// <summary>Creates the table, or waits for the process that is creating it.</summary>
    public async Task CreateTableAsync(CancellationToken cancellation)
    {
        const string sql = """
            select pg_advisory_xact_lock(hashtext('mail.activation'));
            create schema if not exists mail;
            do $$ begin
                if exists (select from information_schema.columns where table_schema = 'mail' and table_name = 'activation' and column_name = 'account_id') then
                    alter table mail.activation rename column account_id to id;
                end if;
            end $$;
            create table if not exists mail.activation (
                id         uuid primary key, -- of the account, or, of a notice, the event that gives cause for it (of a second one, derived from that)
                status     text not null,
                state      jsonb not null,
                due        text,        -- 'mail' or 'expiry'
                due_at     timestamptz,
                taken_by   int,         -- the loop, of some process, that is at work on it; null: none
                taken_at   timestamptz,
                sent       text,        -- the mail, by its purpose, that the provider took meanwhile, of which the state does not know yet
                sent_at    timestamptz
            );
            -- Room on the page for what becomes of a row at once: taken, and its mail sent.
            alter table mail.activation set (fillfactor = 35);
            alter table mail.activation add column if not exists taken_at timestamptz, add column if not exists sent text, add column if not exists sent_at timestamptz;
            create index if not exists activation_due on mail.activation (due, due_at) where due is not null;
            drop table if exists mail.journal;

            -- The last position of the log that is in the table. Who has none begins at the first, with what earlier versions left in the table.
            create table if not exists mail.checkpoint (one boolean primary key default true check (one), position bigint not null);
            with begun as (insert into mail.checkpoint (position) values (0) on conflict do nothing returning one)
            delete from mail.activation where due is null and exists (select from begun);
            """;
        await using var connection = await _database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>Takes up to <paramref name="limit"/> of what is due: the longest due first, or any one of those, as a probe. Nobody else gets it before it is released.</summary>
    /// <param name="loop">Has nothing in hand. What it is said to have is left from a commit whose answer was lost, and is taken again.</param>
    /// <param name="waited">Only what has been due for so long.</param>
    public async Task<IReadOnlyList<Taken>> TakeAsync(int loop, bool mails, int limit, TimeSpan waited, bool probe, CancellationToken cancellation)
    {
        const string free = """
            due = @due and due_at <= @dueBy
            and (taken_by is null or taken_by = @self or taken_at < @hangs or (taken_by not between @first and @last and taken_by not in (select loop from alive)))
            """;
        const string longest = $"select id from mail.activation where {free} order by due_at limit @limit for update skip locked";
        // Any, for else those who make trouble could see to it that every probe is one of theirs.
        const string any = $"""
            select id from mail.activation where {free}
              and id = (select id from (select id from mail.activation where {free} order by due_at limit 1000) longest order by random() limit 1)
            for update skip locked
            """;
        var sql = $"""
            with alive as materialized (
                select l.objid::bigint as loop from pg_locks l join pg_database d on d.oid = l.database
                where l.locktype = 'advisory' and d.datname = current_database() and l.classid = @locks::int::oid and l.objsubid = 2)
            update mail.activation a set taken_by = @self, taken_at = @now from ({(probe ? any : longest)}) d
            where a.id = d.id
            returning a.state, a.sent, a.sent_at
            """;
        var now = _time.GetUtcNow();
        await using var command = _database.CreateCommand(sql);
        command.Parameters.AddWithValue("locks", LifeLocks);
        command.Parameters.AddWithValue("self", _first + loop);
        command.Parameters.AddWithValue("first", _first);
        command.Parameters.AddWithValue("last", _first + MostLoops - 1);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("hangs", now - LongestWork);
        command.Parameters.AddWithValue("due", mails ? Kinds[0] : Kinds[1]);
        command.Parameters.AddWithValue("dueBy", now - waited);
        if (!probe) command.Parameters.AddWithValue("limit", limit);
        var (taken, others) = (new List<Taken>(), new List<Activation>());
        await using (var reader = await command.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
            {
                var state = Read(reader.GetString(0));
                var sent = reader.IsDBNull(1) ? null : reader.GetString(1);
                if (mails && sent is not null) taken.Add(new(state, sent, reader.GetFieldValue<DateTimeOffset>(2)));
                else if (_policy.WhatIsDue(state, now + Rounding) is { } due && due.Purpose is not null == mails) taken.Add(new(state, due.Purpose, null));
                else others.Add(state);
            }
        }
        // The settings have changed since the row was written: it is written again, with what is due by them.
        await Task.WhenAll(others.Select(state => ReleaseAsync(loop, state)));
        return taken;
    }

    /// <summary>How many mails are due by now, or on their way, counted up to 100,000.</summary>
    public async Task<long> BacklogAsync(CancellationToken cancellation)
    {
        await using var command = _database.CreateCommand(
            "select count(*) from (select from mail.activation where due = 'mail' and due_at <= @now limit 100000) d");
        command.Parameters.AddWithValue("now", _time.GetUtcNow());
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>A connection that shows that the loops of this process live, for as long as it is open. The server notices within a minute when the machine at its other end is gone.</summary>
    public async Task<NpgsqlConnection> ShowLifeAsync(int loops, CancellationToken cancellation)
    {
        var connection = await _database.OpenConnectionAsync(cancellation);
        try
        {
            await using var command = new NpgsqlCommand("""
                select pg_advisory_lock(@locks, @first + loop) from generate_series(0, @loops - 1) loop;
                select set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false)
                """, connection);
            command.Parameters.AddWithValue("locks", LifeLocks);
            command.Parameters.AddWithValue("first", _first);
            command.Parameters.AddWithValue("loops", loops);
            await command.ExecuteNonQueryAsync(cancellation);
            // Locks are the session's: no connection that is open by now is given to anybody else after it was closed.
            _database.Clear();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task<IReadOnlyList<Decision>> CommitAsync(IReadOnlyList<Request> requests)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryCommitAsync(requests);
            }
            catch (Exception e) when (attempt < 5 && Recoverability.HasMovedOn(e))
            {
                // Someone else appended to one of the streams, or created one of the rows, in the meantime: decide again on what is there now.
            }
        }
    }

    private async Task<IReadOnlyList<Decision>> TryCommitAsync(IReadOnlyList<Request> requests)
    {
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var decisions = await DecideAllAsync(connection, requests);
        await Appending.AppendAsync(connection, [.. requests.SelectMany((r, i) => decisions[i].Decision.Facts.Select(fact => NewEvent.Of(r.AccountId, expectedVersion: null, fact, decisions[i].Cause)))]);
        await transaction.CommitDurablyAsync();
        if (decisions.Any(d => d.Decision.Facts.Count > 0)) _publisher.WakeUp.Signal();
        return [.. decisions.Select(d => d.Decision)];
    }

    /// <param name="position">Where the checkpoint is moved to; null: it stays.</param>
    /// <returns>Each decision, and what gave cause for it.</returns>
    private async Task<(Decision Decision, Cause Cause)[]> DecideAllAsync(NpgsqlConnection connection, IReadOnlyList<Request> requests, long? position = null)
    {
        var before = requests.Count > 0 ? await LoadAsync(connection, requests) : [];
        var after = new SortedDictionary<Guid, Activation?>();
        var released = new Dictionary<Guid, int>();
        var decisions = new (Decision, Cause)[requests.Count];
        for (var i = 0; i < requests.Count; i++)
        {
            var (id, _, decide, loop) = requests[i];
            var state = after.TryGetValue(id, out var changed) ? changed : before.GetValueOrDefault(id);
            var decision = decide(state);
            decisions[i] = (decision, (state?.Cause ?? Cause.None) with { Actor = Topology.Mail });
            after[id] = decision.State;
            if (loop is not null) released[id] = _first + loop.Value;
        }
        await SaveAsync(connection, before, after, released, position);
        return decisions;
    }

    private static async Task<Dictionary<Guid, Activation>> LoadAsync(NpgsqlConnection connection, IReadOnlyList<Request> requests)
    {
        // In one order everywhere, so that two batches wait for each other rather than deadlock. Where nothing is due, a process of an earlier version has noted an end.
        await using var command = new NpgsqlCommand(
            "select state from mail.activation where id = any(@ids) and due is not null order by id for update", connection);
        command.Parameters.AddWithValue("ids", requests.Select(r => r.Id).Distinct().ToArray());
        var states = new Dictionary<Guid, Activation>(requests.Count);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var state = Read(reader.GetString(0));
            states[state.Id] = state;
        }
        return states;
    }

    private async Task SaveAsync(NpgsqlConnection connection, Dictionary<Guid, Activation> before, SortedDictionary<Guid, Activation?> after, Dictionary<Guid, int> released, long? position)
    {
        const string rows = "unnest(@ids, @statuses, @states, @dues, @dueAts, @released) as n (id, status, state, due, due_at, released)";
        var begun = after.Values.OfType<Activation>().Where(s => !before.ContainsKey(s.Id)).ToList();
        var changed = after.Values.OfType<Activation>().Where(s => before.TryGetValue(s.Id, out var was) && (released.ContainsKey(s.Id) || !ReferenceEquals(s, was))).ToList();
        var ended = before.Keys.Where(id => after[id] is null).ToArray();
        await using var batch = new NpgsqlBatch(connection);
        if (begun.Count > 0) Add($"insert into mail.activation (id, status, state, due, due_at) select id, status, state, due, due_at from {rows}", begun);
        if (changed.Count > 0)
        {
            Add($"""
                update mail.activation a set status = n.status, state = n.state, due = n.due, due_at = n.due_at,
                       taken_by = nullif(a.taken_by, n.released), sent = case when n.released is null then a.sent end
                from {rows} where a.id = n.id
                """, changed);
        }
        if (ended.Length > 0) batch.BatchCommands.Add(new("delete from mail.activation where id = any($1)") { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = ended } } });
        if (position is not null) batch.BatchCommands.Add(new("update mail.checkpoint set position = $1") { Parameters = { new NpgsqlParameter<long> { TypedValue = position.Value } } });
        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync();

        void Add(string sql, List<Activation> states)
        {
            var dues = states.ConvertAll(_policy.WhatIsDue);
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddWithValue("ids", states.ConvertAll(s => s.Id));
            command.Parameters.AddWithValue("statuses", states.ConvertAll(s => Name(s.Status)));
            command.Parameters.AddWithValue("states", NpgsqlDbType.Array | NpgsqlDbType.Jsonb, states.ConvertAll(Write));
            command.Parameters.AddWithValue("dues", dues.Select(d => d.Purpose is null ? Kinds[1] : Kinds[0]).ToArray());
            command.Parameters.AddWithValue("dueAts", dues.ConvertAll(d => d.At.ToUniversalTime()));
            command.Parameters.AddWithValue("released", states.ConvertAll(s => released.TryGetValue(s.Id, out var loop) ? loop : (int?)null));
            batch.BatchCommands.Add(command);
        }
    }

    private static Activation Read(string json) => JsonSerializer.Deserialize<Activation>(json, Json)!;

    private static string Write(Activation state) => JsonSerializer.Serialize(state, Json);

    private static string Name(ActivationStatus status) => JsonNamingPolicy.CamelCase.ConvertName(status.ToString());

    /// <param name="Id">Of the row.</param>
    /// <param name="AccountId">Whose stream gets the facts.</param>
    /// <param name="Loop">Had taken the row, and has not any more; null: it stays as it is.</param>
    private sealed record Request(Guid Id, Guid AccountId, Func<Activation?, Decision> Decide, int? Loop);
}
