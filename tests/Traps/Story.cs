using Spectre.Console;

namespace Signup.Tests.Traps;

/// <summary>What is told and shown while a trap is sprung: in a test's output, or in a newcomer's terminal.</summary>
public static class Story
{
    /// <summary>Where <see cref="Demo"/> tells it; null: it is a test's.</summary>
    public static IAnsiConsole? Terminal { get; set; }

    public static void Tell(string what)
    {
        if (Terminal is { } terminal) terminal.Write(new Padder(new Text(what), new Padding(2, 1, 2, 0)));
        else TestContext.Current.TestOutputHelper?.WriteLine(what);
    }

    /// <summary>Shows rows of a database, as they are now.</summary>
    public static async Task ShowAsync(string caption, NpgsqlDataSource database, string sql, object? values = null)
    {
        await using var connection = await database.OpenConnectionAsync();
        var rows = (await connection.QueryAsync(sql, values)).Cast<IDictionary<string, object?>>().ToList();
        if (Terminal is not { } terminal)
        {
            foreach (var row in rows) TestContext.Current.TestOutputHelper?.WriteLine($"    {caption}: {string.Join(", ", row.Select(c => $"{c.Key} = {c.Value}"))}");
            return;
        }
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var column in rows.Count > 0 ? rows[0].Keys : ["(no rows)"]) table.AddColumn(Markup.Escape(column));
        foreach (var row in rows) table.AddRow([.. row.Values.Select(v => new Text($"{v}"))]);
        terminal.Write(new Padder(new Rows(new Text($"{caption}:"), table), new Padding(4, 1, 0, 0)));
    }
}
