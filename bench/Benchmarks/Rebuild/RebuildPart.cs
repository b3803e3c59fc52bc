using System.Diagnostics;
using System.Globalization;
using JasperFx.Events.Projections;
using Marten;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Archiving;
using Signup.Tests.Fixture;

namespace Signup.Bench.Rebuild;

/// <summary>
/// Rebuilds the same documents from the same log, on the same PostgreSQL, side by side: Query's own rebuild, and Marten's projection rebuild. Each rebuild is a process
/// of its own, so that memory can be told apart; the order changes with every round. Query's side keeps two indexes more (e-mail address, status) than Marten's.
/// </summary>
internal static class RebuildPart
{
    private const string Part = "rebuild", Ours = "Query", Theirs = "Marten";

    private const int Rounds = 3;

    public static async Task RunAsync(Figures figures, Options options)
    {
        var events = options.Scaled(1_000_000);
        var database = (await Parts.CreateAsync("rebuild")).Postgres;
        await SeedAsync(database, events);
        var results = new List<(string Side, double Rate, double Megabytes)>();
        for (var round = 0; round < Rounds; round++)
        {
            string[] order = round % 2 == 0 ? [Ours, Theirs] : [Theirs, Ours];
            foreach (var side in order)
            {
                var (seconds, memory) = await RunAsync(side, database, archive: "");
                results.Add((side, events / seconds, memory));
                Console.WriteLine($"  round {round + 1}  {side,-7} {seconds,8:0.0} s  {events / seconds,10:N0} events/s  peak memory {memory,6:0} MB");
            }
        }
        await CompareAsync(database);
        var (query, marten) = (Median(results.Where(r => r.Side == Ours).Select(r => r.Rate)), Median(results.Where(r => r.Side == Theirs).Select(r => r.Rate)));
        figures.Add(Part, $"{Ours}, events a second", query);
        figures.Add(Part, $"{Theirs}, events a second", marten);
        figures.Add(Part, $"events a second, {Ours} ÷ {Theirs}", query / marten);
        figures.Add(Part, $"{Ours}, most memory", results.Where(r => r.Side == Ours).Max(r => r.Megabytes), "MB");
        figures.Add(Part, $"{Theirs}, most memory", results.Where(r => r.Side == Theirs).Max(r => r.Megabytes), "MB");
    }

    /// <summary>The process itself.</summary>
    /// <param name="args">Whose, the connection string, and where the archive is; nothing where there is none.</param>
    public static async Task<int> RunOneAsync(string[] args)
    {
        await using var source = LogStore.Connect(args[1]);
        var watch = Stopwatch.StartNew();
        if (args[0] == Ours)
        {
            var archive = new LogArchive(source, args[2].Length > 0 ? new ArchiveTarget(new Uri(args[2]).AbsoluteUri) : null);
            await new Signup.Query.Commands.RebuildReadModel(source, new LogReader(source, archive), new Progress<Signup.Hosting.Commands.Done>()).RunAsync(CancellationToken.None);
        }
        else
        {
            using var store = Store(source);
            using var daemon = await store.BuildProjectionDaemonAsync();
            await daemon.RebuildProjectionAsync(MartenAccounts.ProjectionName, TimeSpan.FromHours(1), CancellationToken.None);
        }
        watch.Stop();
        using var self = Process.GetCurrentProcess();
        Console.WriteLine($"{watch.Elapsed.TotalSeconds} {self.PeakWorkingSet64 / 1e6}");
        return 0;
    }

    private static DocumentStore Store(NpgsqlDataSource source)
    {
        var options = new StoreOptions();
        LogStore.Configure(options, source);
        options.Projections.Add(new MartenAccounts(), ProjectionLifecycle.Async);
        return new DocumentStore(options);
    }

    /// <summary>Accounts of four events each, as an earlier version wrote them, and then sealed; a thousand of them under way at any time, so that streams are interleaved as in life.</summary>
    public static async Task SeedAsync(string connectionString, int events)
    {
        await using var source = LogStore.Connect(connectionString);
        using (var store = Store(source)) await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        var accounts = events / 4;
        await ExecuteAsync(connectionString, $$"""
            insert into log.mt_streams (id, type, version, timestamp, tenant_id)
            select md5(a::text)::uuid, null, 4, now(), '*DEFAULT*' from generate_series(1, {{accounts}}) a;
            insert into log.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
            select row_number() over (order by a + (v - 1) * 1000, v), gen_random_uuid(), md5(a::text)::uuid, v,
                   case v when 1 then jsonb_build_object('username', 'user' || a, 'email', 'user' || a || '@example.org', 'passwordHash', '$argon2id$v=19$m=19456,t=2,p=1$' || md5(a::text) || '$' || md5(v::text) || md5(a::text),
                                                         'language', 'en', 'createdAt', '2026-11-23T10:00:00+00:00')
                          when 2 then '{"purpose":"activation","sentAt":"2026-11-23T10:00:01+00:00"}'
                          when 3 then '{"activatedAt":"2026-11-23T10:05:00+00:00"}'
                          else jsonb_build_object('oldEmail', 'user' || a || '@example.org', 'newEmail', 'other' || a || '@example.org', 'changedAt', '2026-11-23T11:00:00+00:00') end,
                   (array['AccountCreated', 'ActivationMailSent', 'AccountActivated', 'EmailChanged'])[v], now(), '*DEFAULT*',
                   'Signup.EventLog.Accounts.' || (array['AccountCreated', 'ActivationMailSent', 'AccountActivated', 'EmailChanged'])[v] || ', Signup.EventLog', false
            from generate_series(1, {{accounts}}) a cross join generate_series(1, 4) v;
            select setval('log.mt_events_sequence', {{accounts * 4}});
            """);
        var watch = Stopwatch.StartNew();
        await LogStore.CreateAsync(source, CancellationToken.None);
        Console.WriteLine($"  {accounts * 2:N0} of {accounts * 4:N0} events were sealed in {watch.Elapsed.TotalSeconds:0.0} s");
        await ExecuteAsync(connectionString, "vacuum full analyze log.mt_events");
        await ExecuteAsync(connectionString, "vacuum analyze log.mt_streams");
    }

    /// <summary>Query's rebuild, of a log of which some may be in its archive.</summary>
    /// <returns>How long it took, and the most memory.</returns>
    public static Task<(double Seconds, double Megabytes)> RunAsync(string database, string archive) => RunAsync(Ours, database, archive);

    private static async Task<(double Seconds, double Megabytes)> RunAsync(string side, string database, string archive)
    {
        var (exitCode, output) = await Tests.Fixture.Command.RunAsync(new ProcessStartInfo("dotnet", [typeof(RebuildPart).Assembly.Location, "--rebuild", side, database, archive]), TimeSpan.FromMinutes(20));
        if (exitCode != 0) throw new InvalidOperationException($"{side} failed:\n{output}");
        var numbers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Split(' ').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToList();
        return (numbers[0], numbers[1]);
    }

    /// <summary>Both must have made the same, or the comparison means nothing: but for what is sealed, which Marten has no keys to.</summary>
    private static async Task CompareAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand("""
            select count(*), count(*) filter (where q.document ->> 'email' like 'other%@example.org' and m.data ->> 'email' = '' and lower(q.document ->> 'status') = lower(m.data ->> 'status')
                                              and (q.document ->> 'version')::bigint = (m.data ->> 'version')::bigint)
            from query.accounts q full join log.mt_doc_accountdocument m on m.id = q.id
            """);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        if (reader.GetInt64(0) != reader.GetInt64(1)) throw new InvalidOperationException($"Only {reader.GetInt64(1)} of {reader.GetInt64(0)} documents are the same.");
        Console.WriteLine($"  Both made the same {reader.GetInt64(0):N0} documents.");
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }
}
