using System.Globalization;
using Signup.EventLog;
using Signup.Query.Accounts;

namespace Signup.Query.Log;

/// <summary>HTTP: the log in its total order. A page may be shorter than its limit; <c>after</c> the position of its last event comes the next.</summary>
public static class LogRoutes
{
    public static void MapLog(this IEndpointRouteBuilder app) => app.MapGet("/log", async (HttpRequest request, HttpResponse response, LogReader log, CancellationToken cancellation) =>
    {
        var query = new QueryString(request.Query, "after", "limit");
        var after = query.Whole("after", 0, long.MaxValue) ?? 0;
        var limit = Math.Min(query.Whole("limit", 1, long.MaxValue) ?? 100, 1_000);
        if (query.Any) return query.Problem();
        var events = await log.ReadAsync(after, (int)limit, cancellation);
        if (events.Count > 0) response.Headers.Link = DocumentRoutes.NextPage(request, events[^1].Position.ToString(CultureInfo.InvariantCulture));
        return Results.Json(events.Select(EventView.Of), AccountDocument.Json);
    });
}
