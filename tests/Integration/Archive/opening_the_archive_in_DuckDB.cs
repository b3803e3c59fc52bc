using System.Globalization;
using System.Text.Json;
using DuckDB.NET.Data;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Query.Commands;
using Signup.Query.Questions;
using Signup.Tests.Integration.Query;

namespace Signup.Tests.Integration.Archive;

/// <summary>Somebody who knows nothing of us, and has the files.</summary>
public sealed class opening_the_archive_in_DuckDB : IAsyncLifetime
{
    private static readonly DateTimeOffset From = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private ArchivedLog _archive = null!;

    public async ValueTask InitializeAsync()
    {
        _archive = await ArchivedLog.CreateAsync("duck");
        var (history, versions) = (new List<ExportedEvent>(), new Dictionary<Guid, long>());
        var random = new Random(20261129);
        var accounts = Enumerable.Range(0, 60).Select(n => (Id: Guid.NewGuid(), Created: random.NextDouble() * 9, Email: $"somebody{n % 50}@example.org", Took: random.Next(4) switch { 0 => 0.01, 1 => 0.6, 2 => 3.0, _ => (double?)null })).ToList();
        var events = accounts.Select(a => (a.Id, Day: a.Created, Happened: (object)new AccountCreated("x", a.Email, "", "en", From)))
            .Concat(accounts.Where(a => a.Took is not null).Select(a => (a.Id, Day: a.Created + a.Took!.Value, Happened: (object)new AccountActivated(From)))).OrderBy(e => e.Day);
        foreach (var (id, day, happened) in events)
        {
            versions[id] = versions.GetValueOrDefault(id) + 1;
            history.Add(new(history.Count + 1, id, versions[id], Guid.NewGuid(), happened.GetType().Name, From.AddDays(day), JsonSerializer.SerializeToNode(happened, Signup.EventLog.LogJson.Options)!.AsObject()));
        }
        // A file is of a fixed number of positions; what is behind the last whole one is not in the archive.
        history.RemoveRange(history.Count / 20 * 20, history.Count % 20);
        await new Import(_archive.Database, LogDatabase.Quiet).RunAsync(() => new StringReader(string.Join('\n', history.Select(e => JsonSerializer.Serialize(e, Export.Json)))), Wait.Token);
        await _archive.ArchiveAsync(_archive.Archiver(20));
    }

    public ValueTask DisposeAsync() => _archive.DisposeAsync();

    [Fact]
    public async Task answers_a_question_about_the_past_as_the_log_does()
    {
        var catalogue = new Catalogue(_archive.Database, new LogReader(_archive.Database), Path.Combine(AppContext.BaseDirectory, "Questions"));
        var byTheLog = await catalogue.AskAsync(catalogue.All().Single(q => q.Name == "activation-by-day"), From, From.AddDays(30), Wait.Token);

        var byTheArchive = Ask(QueryOfTheManual());

        Assert.True(byTheArchive.Count > 5 && byTheArchive.Sum(r => (long)r[2]) > 0 && byTheArchive.Sum(r => (long)r[4]) > byTheArchive.Sum(r => (long)r[3]));
        Assert.Equal(byTheLog.Rows.Select(Line).Where(l => !l.EndsWith("|0|0|0|0", StringComparison.Ordinal)), byTheArchive.Select(Line));
    }

    [Fact]
    public async Task finds_every_event_as_it_is()
    {
        var rows = Ask("select position, stream, version, id, type, time, data, metadata from read_parquet('/var/lib/signup/archive/*.parquet') order by position");
        Assert.Equal(
            (await _archive.StoredAsync(long.MaxValue)).Select(e => $"{e.Position} {e.StreamId} {e.Version} {e.EventId} {e.Type} {e.At:O} {e.Data} {e.Headers}"),
            rows.Select(r => $"{r[0]} {r[1]} {r[2]} {r[3]} {r[4]} {DateTime.SpecifyKind((DateTime)r[5], DateTimeKind.Utc):O} {r[6]} {(r[7] is DBNull ? null : r[7])}"));
        Assert.Equal(50L, Ask("select count(distinct data ->> '$.email.hash') from read_parquet('/var/lib/signup/archive/*.parquet')")[0][0]);
    }

    private static string QueryOfTheManual() => File.ReadAllText(Path.Combine(Parts.Root, "docs", "archive.md")).Split("```sql")[1].Split("```")[0];

    private List<object[]> Ask(string sql)
    {
        using var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        using var command = duck.CreateCommand();
        command.CommandText = sql.Replace("/var/lib/signup/archive", _archive.Target.Place, StringComparison.Ordinal);
        using var reader = command.ExecuteReader();
        var rows = new List<object[]>();
        while (reader.Read()) rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetValue)]);
        return rows;
    }

    private static string Line(IEnumerable<object?> row) => string.Join('|', row.Select(v => v switch
    {
        DateOnly day => day.ToString("O", CultureInfo.InvariantCulture),
        DateTime day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        _ => Convert.ToString(v, CultureInfo.InvariantCulture),
    }));
}
