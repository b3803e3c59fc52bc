using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using Signup.EventLog;

namespace Signup.Query.Questions;

/// <summary>How an answer is drawn: the first column names, the others count.</summary>
public enum ChartKind { None, Bars, Funnel, Lines }

/// <summary>
/// A question to the log, as a file of SQL. Lines <c>-- title:</c>, <c>-- asks:</c>, <c>-- chart:</c> (bars, funnel, lines, none) and
/// <c>-- note:</c> at its top say the rest; <c>@from</c> and <c>@to</c> are the range of time that was asked about,
/// and <c>events</c> all events that there are: position (<c>seq_id</c>), <c>stream_id</c>, <c>version</c>, <c>id</c>, <c>type</c>, <c>timestamp</c>, <c>data</c> and <c>headers</c>.
/// </summary>
/// <param name="Name">The file's name without its ending; part of the page's address.</param>
public sealed record Question(string Name, string Title, string Asks, ChartKind Chart, string? Note, string Sql)
{
    /// <summary>Whether it may ask for more than which events there are.</summary>
    public bool ReadsData { get; } = Regex.IsMatch(Sql, @"\b(data|headers)\b|(?<!\()\*", RegexOptions.IgnoreCase);

    /// <exception cref="FormatException">A line is missing, or names a chart that there is not.</exception>
    public static Question Parse(string name, string text)
    {
        var headers = text.Split('\n').TakeWhile(l => l.StartsWith("--", StringComparison.Ordinal)).Select(l => l[2..].Split(':', 2)).Where(p => p.Length == 2)
            .ToDictionary(p => p[0].Trim().ToLowerInvariant(), p => p[1].Trim());
        string Header(string key) => headers.GetValueOrDefault(key) is { Length: > 0 } value ? value : throw new FormatException($"{name}.sql lacks a line '-- {key}: …' at its top.");
        if (!Enum.TryParse<ChartKind>(headers.GetValueOrDefault("chart", "none"), ignoreCase: true, out var chart))
            throw new FormatException($"{name}.sql asks for a chart that there is not: {headers["chart"]}. There are: {string.Join(", ", Enum.GetNames<ChartKind>())}.");
        return new Question(name, Header("title"), Header("asks"), chart, headers.GetValueOrDefault("note"), text);
    }
}

/// <summary>An answer as a table.</summary>
public sealed record Answer(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows)
{
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
public sealed class Catalogue(NpgsqlDataSource database, LogReader log, string folder)
{
    /// <summary>A question that takes longer is ended: the log is there for others, too.</summary>
    private const string Patience = "30s";

    public IReadOnlyList<Question> All() =>
        [.. Directory.GetFiles(folder, "*.sql").Order(StringComparer.Ordinal).Select(f => Question.Parse(Path.GetFileNameWithoutExtension(f), File.ReadAllText(f)))];

    public Question? Find(string name) => All().FirstOrDefault(q => q.Name == name);

    /// <exception cref="PostgresException">The SQL is wrong, writes, or takes too long.</exception>
    public async Task<Answer> AskAsync(Question question, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await log.ShowEventsAsync(connection, question.ReadsData, cancellation);
        await using (var command = new NpgsqlCommand($"set transaction read only; set local statement_timeout = '{Patience}'", connection))
            await command.ExecuteNonQueryAsync(cancellation);
        await using var ask = new NpgsqlCommand(question.Sql, connection);
        ask.Parameters.AddWithValue("from", from.ToUniversalTime());
        ask.Parameters.AddWithValue("to", to.ToUniversalTime());
        await using var reader = await ask.ExecuteReaderAsync(cancellation);
        var columns = Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetName(i).Replace('_', ' ')).ToList();
        var rows = new List<IReadOnlyList<object?>>();
        while (await reader.ReadAsync(cancellation))
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++) row[i] = await reader.IsDBNullAsync(i, cancellation) ? null : reader.GetDataTypeName(i) == "date" ? reader.GetFieldValue<DateOnly>(i) : reader.GetValue(i);
            rows.Add(row);
        }
        return new Answer(columns, rows);
    }
}
