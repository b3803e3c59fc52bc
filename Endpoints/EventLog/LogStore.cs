using JasperFx;
using JasperFx.Events;
using Marten;
using Npgsql;
using Signup.EventLog.Archiving;
using Weasel.Core;

namespace Signup.EventLog;

/// <summary>The event log, in Marten's tables: Marten makes them, and reads and appends with this configuration; what the endpoints do often they do in statements of their own
/// (<see cref="Appending"/>, <see cref="LogReader"/>). Others know <see cref="Events"/> and <see cref="Streams"/> of it, and read them.</summary>
public static class LogStore
{
    /// <summary>The database schema that holds the log.</summary>
    public const string Schema = "log";

    /// <summary>All events that there are, as a view: where the column <c>data</c> is null an event was dropped (<see cref="DroppedEvents"/>), and <see cref="LogReader"/> reads in the archive what it says.</summary>
    public const string Events = $"{Schema}.events";

    /// <summary>All streams that there are: <c>id</c>, and <c>version</c>, the number of the last event. Whoever appends to one holds its row.</summary>
    public const string Streams = $"{Schema}.mt_streams";

    /// <summary>The kind of event by which Marten fills the place of one that could not be appended. It says nothing.</summary>
    public const string Tombstone = "tombstone";

    /// <summary>
    /// Connections to the database that holds the log. Their time zone is UTC whatever the server's is: Marten stamps events with
    /// the wall clock of UTC, which the server would take for its own.
    /// A process that freezes inside a transaction loses it after ten seconds: the database gives its locks to others, and the process finds
    /// its commit refused when it goes on.
    /// Statements that come again are prepared, which spares the server to parse and plan them; a connection string that says
    /// "Max Auto Prepare=0", for a pooler between that cannot, has its way. No connection is used for longer than a minute, on the whole: a server that was
    /// made read-only for a while, as many do when their disk is full, stays so for connections from that time.
    /// Of several hosts that one is connected to which is the primary (docs/cluster.md); the connection string may say otherwise, for each of these.
    /// </summary>
    /// <param name="options">Of the server, for these connections, such as <c>-c name=value</c>.</param>
    public static NpgsqlDataSource Connect(string connectionString, string options = "")
    {
        var database = Connect(connectionString, options, $"Target Session Attributes=primary;Host Recheck Seconds={PrimaryWatch.RememberFor}");
        if (database is NpgsqlMultiHostDataSource several) PrimaryWatch.Begin(several);
        return database;
    }

    /// <summary>Likewise to a standby, of several hosts, or to the primary where no standby is there. One that does not answer is given up when those who wait for it would lose their locks.</summary>
    internal static NpgsqlDataSource ConnectToStandby(string connectionString) => Connect($"Command Timeout=10;{connectionString}", "", "Target Session Attributes=prefer-standby");

    private static NpgsqlDataSource Connect(string connectionString, string options, string ofSeveral)
    {
        var settings = new NpgsqlConnectionStringBuilder($"Max Auto Prepare=100;Connection Lifetime=60;{connectionString}") { Timezone = "UTC" };
        if (settings.Host?.Contains(',', StringComparison.Ordinal) is true)
            settings.ConnectionString = $"{ofSeveral};Timeout={PrimaryWatch.Patience};{settings.ConnectionString}";
        settings.Options = $"{settings.Options} -c idle_in_transaction_session_timeout=10s {options}".Trim();
        return NpgsqlDataSource.Create(settings);
    }

    public static void Configure(StoreOptions options, NpgsqlDataSource dataSource)
    {
        options.Connection(dataSource);
        options.DatabaseSchemaName = Schema;
        options.Events.DatabaseSchemaName = Schema;
        options.Events.StreamIdentity = StreamIdentity.AsGuid;
        // One call to the database per stream; the server numbers versions and positions.
        options.Events.AppendMode = EventAppendMode.Quick;
        options.Events.EnableBigIntEvents = true;
        // See Cause.
        options.Events.MetadataConfig.HeadersEnabled = true;
        // Marten resets the naming policy of what it is given; casing has to be said to it, too.
        options.UseSystemTextJsonForSerialization(LogJson.Options, EnumStorage.AsString, Casing.CamelCase);
        options.AutoCreateSchemaObjects = AutoCreate.CreateOrUpdate;
        options.DisableNpgsqlLogging = true;
        foreach (var type in EventTypes.All)
            Upcasting.Map(options, type);
    }

    /// <summary>Has Marten make the tables, where anything that is used of them is missing, makes those of what is <see cref="ArchivedRange">archived</see> and <see cref="DroppedEvents">dropped</see>, seals what is personal in a log of an earlier version (<see cref="Sealing"/>), and takes from the role that it is connected as the privileges to change and to delete events,
    /// which a table's owner has too: see <see cref="AppendOnly"/>. Several processes may do so at once.</summary>
    /// <returns>False where that role may do so all the same: it is a superuser, or has it from another role.</returns>
    public static async Task<bool> CreateAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        if (await IsThereAsync(database, cancellation) && await HasAsync(database, ArchivedRange.Table, cancellation) && await HasAsync(database, DroppedEvents.Table, cancellation) && await HasAsync(database, PersonalKeys.Table, cancellation) && await AppendOnly.IsHeldAsync(database, cancellation)) return true;
        await using var lockHolder = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await lockHolder.BeginTransactionAsync(cancellation);
        await using (var take = new NpgsqlCommand("set local idle_in_transaction_session_timeout = 0; select pg_advisory_xact_lock(hashtextextended('signup.log', 0))", lockHolder))
            await take.ExecuteNonQueryAsync(cancellation);
        if (!await IsThereAsync(database, cancellation))
        {
            var options = new StoreOptions();
            Configure(options, database);
            await using var store = new DocumentStore(options);
            await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        }
        if (!await HasAsync(database, ArchivedRange.Table, cancellation)) await ArchivedRange.CreateAsync(lockHolder, cancellation);
        if (!await HasAsync(database, DroppedEvents.Table, cancellation)) await DroppedEvents.CreateAsync(lockHolder, cancellation);
        if (!await HasAsync(database, PersonalKeys.Table, cancellation)) await Sealing.CreateAsync(lockHolder, cancellation);
        await AppendOnly.HoldAsync(lockHolder, cancellation);
        await transaction.CommitAsync(cancellation);
        return await AppendOnly.IsHeldAsync(database, cancellation);
    }

    /// <summary>Whether there is such a table, also where the role that it is connected as may not look into its schema.</summary>
    /// <param name="table">With its schema.</param>
    internal static async Task<bool> HasAsync(NpgsqlDataSource database, string table, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where format('%s.%s', n.nspname, c.relname) = '{table}')");
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>Asking Marten takes a second at each start, and much memory.</summary>
    private static async Task<bool> IsThereAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"""
            select count(*) = 3 from pg_class c
            where c.oid in (to_regclass('{Schema}.mt_events_sequence'), to_regclass('{Schema}.pkey_mt_streams_id'), to_regclass('{Schema}.pk_mt_events_stream_and_version'))
              and exists (select from pg_attribute a where a.attrelid = to_regclass('{Schema}.mt_events') and a.attname = 'headers')
            """);
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>Everything about an account that is in the log, in order.</summary>
    public static async Task<Accounts.Account> LoadAccountAsync(this LogReader log, Guid accountId, CancellationToken cancellation) =>
        Accounts.Account.Fold(await log.ReadStreamAsync(accountId, cancellation));
}
