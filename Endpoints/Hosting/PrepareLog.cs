using System.Security.Cryptography;
using Marten;
using Marten.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;
using Signup.EventLog;

namespace Signup.Hosting;

/// <summary>Makes the log's tables at the start, once for each build that shapes them, and waits for a database that is not there yet and for the process that is
/// making them: Marten's own way compares all tables at every start, and gives up after some seconds, which on a busy machine ends a process.</summary>
internal sealed class PrepareLog(NpgsqlDataSource database, IDocumentStore store, ILogger<PrepareLog> logger) : Preparation("PostgreSQL", logger)
{
    private const string Lock = "hashtextextended('signup.log', 0)";

    /// <summary>Whose work the tables are; kept as the comment on their schema.</summary>
    private static readonly string Shape = "shape " + Convert.ToHexStringLower(SHA256.HashData(
        [.. new[] { typeof(LogStore), typeof(IDocumentStore), typeof(Weasel.Core.EnumStorage) }.SelectMany(t => t.Module.ModuleVersionId.ToByteArray())]))[..16];

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        // The connection holds the lock, and gives it up at the latest when it goes back to the pool.
        await ExecuteAsync($"select pg_advisory_lock({Lock})");
        if (await ExecuteAsync($"select obj_description(to_regnamespace('{LogStore.Schema}')::oid, 'pg_namespace')") as string == Shape)
            ((MartenDatabase)store.Storage.Database).MarkAllFeaturesAsChecked();
        else
        {
            await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
            await ExecuteAsync($"comment on schema {LogStore.Schema} is '{Shape}'");
        }
        await ExecuteAsync($"select pg_advisory_unlock({Lock})");

        async Task<object?> ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            return await command.ExecuteScalarAsync(cancellation);
        }
    }

    protected override bool MayPass(Exception e) => e is not OperationCanceledException && Recoverability.IsTransient(e);
}
