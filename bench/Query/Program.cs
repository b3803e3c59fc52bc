// Rebuilds the same documents from the same log, on the same PostgreSQL, side by side: Query's own rebuild, and Marten's projection rebuild.
//
//   ConnectionStrings__Postgres=… dotnet run -c Release --project bench/Query [events] [rounds]
//
// Each rebuild is a process of its own, so that memory can be told apart; the order changes with every round. A database of its own is made and dropped.
// Query's side keeps two indexes more (e-mail address, status) than Marten's.
using System.Diagnostics;
using System.Globalization;
using JasperFx.Events.Projections;
using Marten;
using Npgsql;
using Signup.Bench.Query;
using Signup.EventLog;
using Signup.Hosting;
using Signup.Query.Accounts;
using Signup.Query.Commands;
using Signup.Query.Projection;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var server = Environment.GetEnvironmentVariable("ConnectionStrings__Postgres") ?? throw new InvalidOperationException("Set ConnectionStrings__Postgres.");

if (args is ["--rebuild", var side, var database])
{
    var connectionString = new NpgsqlConnectionStringBuilder(server) { Database = database }.ConnectionString;
    await using var source = LogStore.Connect(connectionString);
    var watch = Stopwatch.StartNew();
    if (side == "Query")
    {
        using var progress = new ProgressBar(TextWriter.Null, false, TimeProvider.System, "events");
        await new Rebuild(source, new LogReader(source), progress).RunAsync(CancellationToken.None);
    }
    else
    {
        using var store = Bench.Store(source);
        using var daemon = await store.BuildProjectionDaemonAsync();
        await daemon.RebuildProjectionAsync(MartenAccounts.ProjectionName, TimeSpan.FromHours(1), CancellationToken.None);
    }
    watch.Stop();
    using var self = Process.GetCurrentProcess();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds} {self.PeakWorkingSet64 / 1e6} {self.TotalProcessorTime.TotalSeconds}"));
    return;
}

var events = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
var rounds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3;
var name = $"bench_{Guid.NewGuid():N}"[..20];
await Bench.ExecuteAsync(server, $"create database {name}");
try
{
    var own = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
    Console.WriteLine($"Writing a log of {events:N0} events …");
    await Bench.SeedAsync(own, events);
    var results = new List<(string Side, double Rate, double Memory, double Cpu)>();
    for (var round = 0; round < rounds; round++)
    {
        string[] order = round % 2 == 0 ? ["Query", "Marten"] : ["Marten", "Query"];
        foreach (var which in order)
        {
            var (seconds, memory, cpu) = await Bench.RunAsync(which, name);
            results.Add((which, events / seconds, memory, cpu));
            Console.WriteLine($"round {round + 1}  {which,-7} {seconds,8:0.0} s  {events / seconds,10:N0} events/s  peak memory {memory,6:0} MB  CPU of the process {cpu,6:0.0} s");
        }
    }
    await Bench.CompareAsync(own);
    foreach (var group in results.GroupBy(r => r.Side))
        Console.WriteLine($"{group.Key,-7} median {Bench.Median(group.Select(r => r.Rate)),10:N0} events/s  peak memory {group.Max(r => r.Memory),6:0} MB");
    Console.WriteLine($"Query ÷ Marten: {Bench.Median(results.Where(r => r.Side == "Query").Select(r => r.Rate)) / Bench.Median(results.Where(r => r.Side == "Marten").Select(r => r.Rate)):0.00}");
}
finally
{
    await Bench.ExecuteAsync(server, $"drop database {name} with (force)");
}

internal static class Bench
{
    public static DocumentStore Store(NpgsqlDataSource source)
    {
        var options = new StoreOptions();
        LogStore.Configure(options, source);
        options.Projections.Add(new MartenAccounts(), ProjectionLifecycle.Async);
        return new DocumentStore(options);
    }

    /// <summary>Accounts of four events each, a thousand of them under way at any time, so that streams are interleaved as in life.</summary>
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
        await ExecuteAsync(connectionString, "vacuum analyze log.mt_events");
        await ExecuteAsync(connectionString, "vacuum analyze log.mt_streams");
    }

    public static async Task<(double Seconds, double Megabytes, double Cpu)> RunAsync(string side, string database)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["--rebuild", side, database]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var last = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "";
        if (process.ExitCode != 0) throw new InvalidOperationException($"{side} failed:\n{output}");
        var numbers = last.Split(' ').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToList();
        return (numbers[0], numbers[1], numbers[2]);
    }

    /// <summary>Both must have made the same, or the comparison means nothing.</summary>
    public static async Task CompareAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand("""
            select count(*), count(*) filter (where q.document ->> 'email' = m.data ->> 'email' and lower(q.document ->> 'status') = lower(m.data ->> 'status')
                                              and (q.document ->> 'version')::bigint = (m.data ->> 'version')::bigint)
            from query.accounts q full join log.mt_doc_accountdocument m on m.id = q.id
            """);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        if (reader.GetInt64(0) != reader.GetInt64(1)) throw new InvalidOperationException($"Only {reader.GetInt64(1)} of {reader.GetInt64(0)} documents are the same.");
        Console.WriteLine($"Both made the same {reader.GetInt64(0):N0} documents.");
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }
}
