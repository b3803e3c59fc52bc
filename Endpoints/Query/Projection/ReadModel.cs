using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Following;
using Signup.Query.Accounts;

namespace Signup.Query.Projection;

/// <summary>One build of the read model, in a table of its own.</summary>
/// <param name="Shape">The <see cref="AccountDocument.Shape"/> it was begun with.</param>
/// <param name="Position">While it is being built: of the last event that is in it. Then <see cref="ReadModel.OfLive"/> goes on.</param>
public sealed record Generation(int Id, int Shape, long Position)
{
    public string Table => $"{ReadModel.Schema}.accounts_{Id}";
}

/// <summary>
/// The read model in PostgreSQL: a JSON document per account, in the table of the live generation, behind the view <c>query.accounts</c>.
/// A rebuild fills the table of another generation beside it and points the view there, in one transaction.
/// </summary>
public sealed class ReadModel(NpgsqlDataSource database, LogReader log) : IProjection
{
    /// <summary>The database schema that holds all of it.</summary>
    public const string Schema = "query";

    public string Name => "query.accounts";

    /// <summary>Where a newer version of the code has rebuilt already, this one would write documents of the old shape among the new.</summary>
    public Checkpoint Checkpoint => OfLive;

    internal static readonly Checkpoint OfLive = new($"{Schema}.checkpoint", IsDivided: true, $"exists (select from {Schema}.generation where state = 'live' and shape <= {AccountDocument.Shape})");

    public async Task EnsureAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // Several processes may start at once; CREATE … IF NOT EXISTS alone lets two of them collide.
        await connection.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended('signup.query', 0))");
        await connection.ExecuteAsync($"""
            create schema if not exists {Schema};
            create table if not exists {Schema}.generation (
                id         int generated always as identity primary key,
                state      text not null check (state in ('live', 'building')),
                shape      int not null,
                position   bigint not null default 0,
                started_at timestamptz not null default now());
            create unique index if not exists one_generation_per_state on {Schema}.generation (state);
            """);
        if (await LiveAsync(connection, cancellation) is null)
        {
            var generation = await CreateGenerationAsync(connection, "live", cancellation);
            await CreateIndexesAsync(connection, generation, cancellation);
            await PointViewAsync(connection, generation, cancellation);
        }
        // Earlier versions went on where the generation says.
        await connection.ExecuteAsync($"""
            create table if not exists {OfLive.Table} ({Checkpoint.Columns});
            insert into {OfLive.Table} (low, high, position)
                select 0, 65535, position from {Schema}.generation where state = 'live' and not exists (select from {OfLive.Table});
            """);
        await transaction.CommitAsync(cancellation);
    }

    public static Task<Generation?> LiveAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        connection.QuerySingleOrDefaultAsync<Generation>(new CommandDefinition(
            $"select id, shape, position from {Schema}.generation where state = 'live'", cancellationToken: cancellation));

    public async Task ApplyAsync(NpgsqlConnection connection, Stretch next, CancellationToken cancellation)
    {
        var live = await LiveAsync(connection, cancellation) ?? throw new InvalidOperationException("The read model has no live generation.");
        await FoldAsync(connection, log, live, next.Events, cancellation);
        await Checkpoint.MoveAsync(connection, next.Partition, next.UpTo, cancellation);
    }

    /// <summary>Folds events into the generation's documents, in the connection's transaction.</summary>
    internal static async Task FoldAsync(NpgsqlConnection connection, LogReader log, Generation generation, IReadOnlyList<LoggedEvent> events, CancellationToken cancellation)
    {
        var accounts = await LoadAsync(connection, generation, events, cancellation);
        foreach (var e in events)
        {
            var account = accounts.GetValueOrDefault(e.StreamId);
            accounts[e.StreamId] = AccountDocument.LeavesGap(account, e)
                ? AccountDocument.Fold(await History.ReadAsync(log, connection, e.StreamId, e.Version, cancellation))
                : AccountDocument.Next(account, e);
        }
        await SaveAsync(connection, generation, accounts.Values.OfType<AccountDocument>(), cancellation);
    }

    private static async Task<Dictionary<Guid, AccountDocument?>> LoadAsync(NpgsqlConnection connection, Generation generation, IReadOnlyList<LoggedEvent> events, CancellationToken cancellation)
    {
        // An account whose first event is among these has no document yet.
        var begun = new HashSet<Guid>();
        var wanted = new HashSet<Guid>();
        foreach (var e in events)
            if (e.Version == 1) begun.Add(e.StreamId);
            else if (!begun.Contains(e.StreamId)) wanted.Add(e.StreamId);
        if (wanted.Count == 0) return [];
        var documents = await connection.QueryAsync<string>(new CommandDefinition(
            $"select document::text from {generation.Table} where id = any(@ids)", new { ids = wanted.ToArray() }, cancellationToken: cancellation));
        return documents.Select(AccountDocument.Parse).ToDictionary(d => d.Id, d => (AccountDocument?)d);
    }

    /// <summary>Writes documents. One that is older than what is stored is ignored.</summary>
    internal static async Task SaveAsync(NpgsqlConnection connection, Generation generation, IEnumerable<AccountDocument> accounts, CancellationToken cancellation)
    {
        var rows = accounts.ToList();
        await connection.ExecuteAsync(new CommandDefinition($"""
            insert into {generation.Table} as stored (id, document, email)
            select * from unnest(@ids, @documents::jsonb[], @emails)
            on conflict (id) do update set document = excluded.document, email = excluded.email
            where stored.version <= excluded.version
            """,
            new
            {
                ids = rows.ConvertAll(r => r.Id).ToArray(),
                documents = rows.ConvertAll(r => r.ToJson()).ToArray(),
                emails = rows.ConvertAll(r => EmailAddress.Comparable(r.Email)).ToArray(),
            }, cancellationToken: cancellation));
    }

    internal static async Task<Generation> CreateGenerationAsync(NpgsqlConnection connection, string state, CancellationToken cancellation)
    {
        var generation = await connection.QuerySingleAsync<Generation>(new CommandDefinition(
            $"insert into {Schema}.generation (state, shape) values (@state, @shape) returning id, shape, position",
            new { state, shape = AccountDocument.Shape }, cancellationToken: cancellation));
        await connection.ExecuteAsync(new CommandDefinition($"""
            create table {generation.Table} (
                id       uuid primary key,
                document jsonb not null,
                email    text not null, -- normalized, which SQL cannot do
                status   text generated always as (document ->> 'status') stored,
                version  bigint generated always as ((document ->> 'version')::bigint) stored)
            """, cancellationToken: cancellation));
        return generation;
    }

    /// <summary>Up to there all events are in a generation that is being built.</summary>
    internal static async Task<Generation> ReachAsync(NpgsqlConnection connection, Generation generation, long position, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(new CommandDefinition($"update {Schema}.generation set position = @position where id = @id", new { position, id = generation.Id }, cancellationToken: cancellation));
        return generation with { Position = position };
    }

    /// <summary>Made after the bulk of a rebuild, when that is much cheaper than keeping them up with every row. From then on each row is soon written a second time, when its first mail
    /// is out: with room for that on its page, the indexes stay as they are.</summary>
    internal static Task CreateIndexesAsync(NpgsqlConnection connection, Generation generation, CancellationToken cancellation) =>
        connection.ExecuteAsync(new CommandDefinition($"""
            create index if not exists accounts_{generation.Id}_email on {generation.Table} (email, id);
            create index if not exists accounts_{generation.Id}_status on {generation.Table} (status, id);
            alter table {generation.Table} set (fillfactor = 50);
            """, commandTimeout: 0, cancellationToken: cancellation));

    internal static Task PointViewAsync(NpgsqlConnection connection, Generation generation, CancellationToken cancellation) =>
        connection.ExecuteAsync(new CommandDefinition(
            $"create or replace view {Schema}.accounts as select id, document, email, status, version from {generation.Table}",
            cancellationToken: cancellation));
}
