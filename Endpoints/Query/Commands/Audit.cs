using System.CommandLine;
using System.Data;
using System.Text.Json.Nodes;
using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Commands;
using Signup.Query.Accounts;
using Signup.Query.Projection;

namespace Signup.Query.Commands;

/// <summary>How a document is not what its stream says.</summary>
/// <param name="Fields">Names of the fields that differ; empty where the document, or the account, is missing.</param>
public sealed record Difference(Guid AccountId, string Kind, IReadOnlyList<string> Fields)
{
    public override string ToString() => Fields.Count == 0 ? $"{AccountId}  {Kind}" : $"{AccountId}  {Kind}: {string.Join(", ", Fields)}";
}

/// <summary>
/// Compares every document with the fold of its stream. Each page is compared within one snapshot of the database, up to the checkpoints in it,
/// so that a read model that is behind, or moves on meanwhile, raises no false alarm.
/// </summary>
public sealed class Audit(NpgsqlDataSource database, LogReader log, IProgress<Done> progress)
{
    private const int PageSize = 2_000;

    public static Command Define()
    {
        var repair = new Option<bool>("--repair") { Description = "Mends what differs." };
        return new Command("audit", "Compares every document with the fold of its stream. Exit code 1 where a difference remains.") { repair }.Runs(async (given, cancellation) =>
        {
            await using var database = given.OpenDatabase();
            var differences = await ProgressBar.ShowAsync("accounts", async progress => await new Audit(database, given.OpenLog(database), progress).RunAsync(given.Get(repair), cancellation).ToListAsync(cancellation));
            foreach (var difference in differences) Console.WriteLine(difference);
            Console.WriteLine(differences.Count == 0 ? "Every document is what its stream says." : $"{differences.Count} {(differences.Count == 1 ? "document differs" : "documents differ")}{(given.Get(repair) ? "; mended" : "")}.");
            return differences.Count > 0 && !given.Get(repair) ? 1 : 0;
        });
    }

    /// <exception cref="InvalidOperationException">The read model has another shape than this code: all would differ.</exception>
    public async IAsyncEnumerable<Difference> RunAsync(bool repair, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var live = await ReadModel.LiveAsync(connection, cancellation) ?? throw new InvalidOperationException("There is no read model yet.");
        if (live.Shape != AccountDocument.Shape)
            throw new InvalidOperationException($"The read model has shape {live.Shape}, this program makes shape {AccountDocument.Shape}: run rebuild.");
        var total = await connection.ExecuteScalarAsync<long>(new CommandDefinition($"select count(*) from {LogStore.Streams}", cancellationToken: cancellation));
        var done = 0L;
        progress.Report(new(done, total));
        var after = Guid.Empty;
        while (true)
        {
            var page = await CompareAsync(connection, after, cancellation);
            if (page.Ids.Length == 0) break;
            after = page.Ids[^1];
            if (repair && page.Differences.Count > 0) await MendAsync(connection, [.. page.Differences.Select(d => d.AccountId)], cancellation);
            foreach (var difference in page.Differences) yield return difference;
            progress.Report(new(done += page.Ids.Length, Math.Max(total, done)));
        }
    }

    private async Task<(Guid[] Ids, List<Difference> Differences)> CompareAsync(NpgsqlConnection connection, Guid after, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        var live = await ReadModel.LiveAsync(connection, cancellation) ?? throw new InvalidOperationException("There is no read model.");
        var ids = (await connection.QueryAsync<Guid>(new CommandDefinition($"""
            (select id from {LogStore.Streams} where id > @after order by id limit @limit)
            union (select id from {live.Table} where id > @after order by id limit @limit) order by id limit @limit
            """, new { after, limit = PageSize }, cancellationToken: cancellation))).ToArray();
        var documents = (await connection.QueryAsync<(Guid Id, string Document, string Email)>(new CommandDefinition(
            $"select id, document::text, email from {live.Table} where id = any(@ids)", new { ids }, cancellationToken: cancellation))).ToDictionary(d => d.Id);
        var folds = (await History.ReadStreamsAsync(log, connection, ids, ReadModel.OfLive.Has, cancellation)).GroupBy(e => e.StreamId)
            .Select(AccountDocument.Fold).OfType<AccountDocument>().ToDictionary(a => a.Id);
        var differences = new List<Difference>();
        foreach (var id in ids)
        {
            var document = documents.TryGetValue(id, out var d) ? (d.Document, d.Email) : default((string Document, string Email)?);
            if (Compare(id, document, folds.GetValueOrDefault(id)) is { } difference) differences.Add(difference);
        }
        return (ids, differences);
    }

    /// <summary>Null where there is none.</summary>
    public static Difference? Compare(Guid id, (string Document, string Email)? stored, AccountDocument? fold)
    {
        if (fold is null) return stored is null ? null : new Difference(id, "a document without an account", []);
        if (stored is not { } row) return new Difference(id, "the document is missing", []);
        var was = JsonNode.Parse(row.Document)!.AsObject();
        var must = JsonNode.Parse(fold.ToJson())!.AsObject();
        var fields = was.Select(p => p.Key).Union(must.Select(p => p.Key)).Where(name => !JsonNode.DeepEquals(was[name], must[name])).ToList();
        if (row.Email != EmailAddress.Comparable(fold.Email)) fields.Add("the indexed e-mail address");
        return fields.Count == 0 ? null : new Difference(id, "the document differs in", fields);
    }

    /// <summary>Writes the folds of these streams, while the followers wait.</summary>
    private async Task MendAsync(NpgsqlConnection connection, Guid[] ids, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ReadModel.OfLive.HoldAsync(connection, cancellation);
        var live = await ReadModel.LiveAsync(connection, cancellation) ?? throw new InvalidOperationException("There is no read model.");
        await connection.ExecuteAsync(new CommandDefinition($"delete from {live.Table} where id = any(@ids)", new { ids }, cancellationToken: cancellation));
        var accounts = (await History.ReadStreamsAsync(log, connection, ids, ReadModel.OfLive.Has, cancellation)).GroupBy(e => e.StreamId).Select(AccountDocument.Fold).OfType<AccountDocument>();
        await ReadModel.SaveAsync(connection, live, accounts, cancellation);
        await transaction.CommitAsync(cancellation);
    }
}
