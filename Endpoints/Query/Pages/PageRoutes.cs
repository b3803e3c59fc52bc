using System.Globalization;
using Dapper;
using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Following;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;
using Signup.Query.Accounts;
using Signup.Query.Inspection;
using Signup.Query.Projection;
using Signup.Query.Questions;

namespace Signup.Query.Pages;

/// <summary>Pages for operators: find an account, step through its life, ask the log.</summary>
public static class PageRoutes
{
    public static void MapPages(this IEndpointRouteBuilder app)
    {
        ReadSideLayout.Files.Map(app);
        var door = new OperatorDoor("", form => new Page<OperatorSignInPage>(form.Status, new Dictionary<string, object?> { [nameof(OperatorSignInPage.Form)] = form }), apiKey: "Query:ApiKey");
        var pages = door.Map(app);
        pages.MapGet("/", StartAsync);
        pages.MapGet("/find", FindAsync);
        pages.MapGet("/history/{id:guid}", HistoryAsync);
        pages.MapGet("/questions/{name}", QuestionAsync);
    }

    private static async Task<IResult> StartAsync(NpgsqlDataSource database, LogReader log, LogFollower<ReadModel> follower, Catalogue catalogue, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var counts = (await connection.QueryAsync<StatusCount>(new CommandDefinition(
            $"select status, count(*) as count from {ReadModel.Schema}.accounts group by status order by status", cancellationToken: cancellation))).AsList();
        return Show<StartPage>(new()
        {
            [nameof(StartPage.Lag)] = await follower.MeasureAsync(cancellation),
            [nameof(StartPage.Counts)] = counts,
            [nameof(StartPage.Questions)] = catalogue.All(),
            [nameof(StartPage.Latest)] = await History.ReadLatestAsync(log, connection, 20, cancellation),
        });
    }

    private static async Task<IResult> FindAsync(string? q, NpgsqlDataSource database, CancellationToken cancellation)
    {
        var asked = q?.Trim() ?? "";
        if (Guid.TryParse(asked, out var id)) return Results.Redirect($"/history/{id}");
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var documents = asked.Length is 0 or > 254 || asked.Contains('\0', StringComparison.Ordinal) ? [] : (await connection.QueryAsync<string>(new CommandDefinition(
            $"select document::text from {ReadModel.Schema}.accounts where email = @email order by id limit 100", new { email = EmailAddress.Comparable(asked) }, cancellationToken: cancellation))).AsList();
        if (documents.Count == 1) return Results.Redirect($"/history/{AccountDocument.Parse(documents[0]).Id}");
        return Show<FoundPage>(new() { [nameof(FoundPage.Asked)] = asked, [nameof(FoundPage.Accounts)] = documents.Select(AccountDocument.Parse).ToList() },
            documents.Count == 0 ? StatusCodes.Status404NotFound : StatusCodes.Status200OK);
    }

    private static async Task<IResult> HistoryAsync(Guid id, HttpRequest request, NpgsqlDataSource database, LogReader log, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var steps = Step.Of(await History.ReadAsync(log, connection, id, long.MaxValue, cancellation)).ToList();
        if (steps.Count == 0)
            return Show<FoundPage>(new() { [nameof(FoundPage.Asked)] = id.ToString(), [nameof(FoundPage.Accounts)] = new List<AccountDocument>() }, StatusCodes.Status404NotFound);
        var query = new QueryString(request.Query, "step", "at");
        var version = query.Whole("step", 1, long.MaxValue) ?? steps.Count;
        string? error = null;
        if (request.Query.ContainsKey("at"))
        {
            var moment = query.Moment("at");
            var then = moment is null ? 0 : steps.Where(s => s.Event.At <= moment).Select(s => s.Event.Version).DefaultIfEmpty().Max();
            error = moment is null ? "Write a moment such as 2026-11-23T10:00:00Z." : then == 0 ? "The account did not exist yet; this is its beginning." : null;
            version = moment is null ? steps.Count : Math.Max(1, then);
        }
        return Show<HistoryPage>(new()
        {
            [nameof(HistoryPage.Steps)] = steps,
            [nameof(HistoryPage.Current)] = steps[(int)Math.Min(version, steps.Count) - 1],
            [nameof(HistoryPage.At)] = request.Query["at"].ToString(),
            [nameof(HistoryPage.AtError)] = error,
        }, error is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    private static async Task<IResult> QuestionAsync(string name, HttpRequest request, Catalogue catalogue, TimeProvider time, CancellationToken cancellation)
    {
        if (catalogue.Find(name) is not { } question) return Results.NotFound();
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var from = Day("from", today.AddDays(-29));
        var to = Day("to", today);
        Answer? answer = null;
        var error = from is null || to is null ? "Days are written as 2026-11-23." : from > to ? "The first day lies behind the last." : null;
        if (error is null)
        {
            try
            {
                answer = await catalogue.AskAsync(question, Midnight(from!.Value), Midnight(to!.Value).AddDays(1), cancellation);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
            {
                error = "The answer took too long. Ask about fewer days.";
            }
        }
        return Show<QuestionPage>(new()
        {
            [nameof(QuestionPage.Question)] = question,
            [nameof(QuestionPage.Answer)] = answer,
            [nameof(QuestionPage.From)] = from?.ToString("O", CultureInfo.InvariantCulture),
            [nameof(QuestionPage.To)] = to?.ToString("O", CultureInfo.InvariantCulture),
            [nameof(QuestionPage.Error)] = error,
        }, error is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);

        DateOnly? Day(string parameter, DateOnly otherwise) => request.Query[parameter].ToString() is not { Length: > 0 } text ? otherwise
            : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is > 1900 and < 3000 ? day : null;

        static DateTimeOffset Midnight(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
    }

    private static Page<T> Show<T>(Dictionary<string, object?> parameters, int status = StatusCodes.Status200OK) where T : Microsoft.AspNetCore.Components.IComponent => new(status, parameters);
}
