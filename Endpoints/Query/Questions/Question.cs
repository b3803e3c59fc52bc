using System.Globalization;
using Dapper;
using Npgsql;
using Signup.EventLog.Archive;

namespace Signup.Query.Questions;

/// <summary>How an answer is drawn: the first column names, the others count.</summary>
public enum ChartKind { None, Bars, Funnel, Lines }

/// <summary>
/// A question to the log, as a file of SQL. Lines <c>-- title:</c>, <c>-- asks:</c>, <c>-- chart:</c> (bars, funnel, lines, none) and
/// <c>-- note:</c> at its top say the rest; <c>@from</c> and <c>@to</c> are the range of time that was asked about.
/// </summary>
/// <param name="Name">The file's name without its ending; part of the page's address.</param>
public sealed record Question(string Name, string Title, string Asks, ChartKind Chart, string? Note, string Sql)
{
    /// <exception cref="FormatException">A line is missing, or names a chart that there is not.</exception>
    public static Question Parse(string name, string text)
    {
        var headers = text.Split('\n').TakeWhile(l => l.StartsWith("--", StringComparison.Ordinal)).Select(l => l[2..].Split(':', 2)).Where(p => p.Length == 2)
            .GroupBy(p => p[0].Trim().ToLowerInvariant(), p => p[1].Trim()).ToDictionary(g => g.Key, g => g.First());
        string Header(string key) => headers.GetValueOrDefault(key) is { Length: > 0 } value ? value : throw new FormatException($"{name}.sql lacks a line '-- {key}: …' at its top.");
        if (!Enum.TryParse<ChartKind>(headers.GetValueOrDefault("chart", "none"), ignoreCase: true, out var chart))
            throw new FormatException($"{name}.sql asks for a chart that there is not: {headers["chart"]}. There are: {string.Join(", ", Enum.GetNames<ChartKind>())}.");
        return new Question(name, Header("title"), Header("asks"), chart, headers.GetValueOrDefault("note"), text);
    }
}

/// <summary>An answer as a table.</summary>
public sealed record Answer(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows)
{
    /// <summary>Up to when events of accounts that ended have been dropped from the table that was asked; null where none have been.</summary>
    public DateTimeOffset? DroppedUntil { get; init; }

    /// <summary>A cell as text: days as 2026-11-23, numbers with separators.</summary>
    public static string Text(object? value) => value switch
    {
        null => "",
        DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        DateTime moment => moment.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        long or int or short => Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString("N0", CultureInfo.InvariantCulture),
        decimal or double => Convert.ToDouble(value, CultureInfo.InvariantCulture).ToString("#,0.##", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>Whether a column holds numbers only.</summary>
    public bool IsNumeric(int column) => Rows.Count > 0 && Rows.All(r => r[column] is long or int or short or decimal or double or null);
}

/// <summary>The questions that there are: the files in the folder Questions beside the program, read whenever asked.</summary>
public sealed class Catalogue(NpgsqlDataSource database, string folder)
{
    /// <summary>A question that takes longer is ended: the log is there for others, too.</summary>
    private const string Patience = "30s";

    public IReadOnlyList<Question> All() => [.. Read().Select(f => f.Question).OfType<Question>()];

    /// <summary>Files that are no question, and why. They are in nobody's way.</summary>
    public IReadOnlyList<string> Faults() => [.. Read().Select(f => f.Fault).OfType<string>()];

    public Question? Find(string name) => All().FirstOrDefault(q => q.Name == name);

    private IEnumerable<(Question? Question, string? Fault)> Read()
    {
        foreach (var file in Directory.GetFiles(folder, "*.sql").Order(StringComparer.Ordinal))
        {
            (Question?, string?) read;
            try
            {
                read = (Question.Parse(Path.GetFileNameWithoutExtension(file), File.ReadAllText(file)), null);
            }
            catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
            {
                read = (null, e.Message);
            }
            yield return read;
        }
    }

    /// <exception cref="PostgresException">The SQL is wrong, writes, or takes too long.</exception>
    public async Task<Answer> AskAsync(Question question, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync(new CommandDefinition($"set transaction read only; set local statement_timeout = '{Patience}'", cancellationToken: cancellation));
        await using var reader = await connection.ExecuteReaderAsync(new CommandDefinition(question.Sql, new { from = from.ToUniversalTime(), to = to.ToUniversalTime() }, cancellationToken: cancellation));
        var columns = Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetName(i).Replace('_', ' ')).ToList();
        var rows = new List<IReadOnlyList<object?>>();
        while (await reader.ReadAsync(cancellation))
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++) row[i] = await reader.IsDBNullAsync(i, cancellation) ? null : reader.GetDataTypeName(i) == "date" ? reader.GetFieldValue<DateOnly>(i) : reader.GetValue(i);
            rows.Add(row);
        }
        await reader.DisposeAsync();
        return new Answer(columns, rows) { DroppedUntil = await connection.ExecuteScalarAsync<DateTime?>(new CommandDefinition($"select {LogArchive.DroppedUntil}", cancellationToken: cancellation)) };
    }
}
