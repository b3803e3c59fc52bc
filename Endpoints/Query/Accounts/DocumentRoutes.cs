using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Hosting.Http;
using Signup.Query.Projection;

namespace Signup.Query.Accounts;

/// <summary>HTTP: accounts as they are, as they were, and how they became it.</summary>
public static class DocumentRoutes
{
    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        app.MapGet("/accounts/{id}", FindAsync);
        app.MapGet("/accounts/{id}/events", EventsAsync);
        app.MapGet("/accounts", ListAsync);
    }

    private static async Task<IResult> FindAsync(string id, HttpRequest request, NpgsqlDataSource database, LogReader log, CancellationToken cancellation)
    {
        var errors = new QueryString(request.Query, "version", "at", "event");
        var version = errors.Whole("version", 1, long.MaxValue);
        var at = errors.Moment("at");
        var eventId = errors.Id("event");
        if (version is not null && at is not null) errors.Add("at", "Ask for a version or for a moment, not for both.");
        if (errors.Any) return errors.Problem();
        if (!Guid.TryParse(id, out var accountId)) return Unknown();

        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (version is { } n)
            return await History.AtVersionAsync(log, connection, accountId, n, cancellation) is { } then ? Json(then.ToJson()) : Unknown($"The account has no version {n}.");
        if (at is { } moment)
            return await History.AtMomentAsync(log, connection, accountId, moment, cancellation) is { } then ? Json(then.ToJson()) : Unknown("There was no such account at that moment.");
        return await CurrentAsync(connection, log, accountId, eventId, cancellation) is { } json ? Json(json) : Unknown();
    }

    /// <summary>The document, or where the stream is ahead of it the fold of the stream: whoever was told that something has happened to an
    /// account sees it here, however far the read model is behind.</summary>
    /// <param name="eventId">Null, or an event that must be in the account's stream: by it, who has proposed it is told from who proposed another in its place.</param>
    public static async Task<string?> CurrentAsync(NpgsqlConnection connection, LogReader log, Guid accountId, Guid? eventId, CancellationToken cancellation)
    {
        var (document, documentVersion, streamVersion) = await connection.QuerySingleOrDefaultAsync<(string?, long, long)>(new CommandDefinition($"""
            select a.document::text, coalesce(a.version, 0), coalesce(s.version, 0)
            from (select @accountId::uuid as id) wanted
            left join {ReadModel.Schema}.accounts a on a.id = wanted.id
            left join {LogStore.Streams} s on s.id = wanted.id
            where @eventId::uuid is null or exists (select from {LogStore.Events} e where e.stream_id = wanted.id and e.id = @eventId)
            """, new { accountId, eventId }, cancellationToken: cancellation));
        return documentVersion >= streamVersion
            ? document
            : AccountDocument.Fold(await History.ReadAsync(log, connection, accountId, long.MaxValue, cancellation))?.ToJson();
    }

    private static async Task<IResult> EventsAsync(string id, NpgsqlDataSource database, LogReader log, CancellationToken cancellation)
    {
        if (!Guid.TryParse(id, out var accountId)) return Unknown();
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var events = await History.ReadAsync(log, connection, accountId, long.MaxValue, cancellation);
        return events.Count == 0 ? Unknown() : Results.Json(events.Select(EventView.Of), AccountDocument.Json);
    }

    private static async Task<IResult> ListAsync(HttpRequest request, HttpResponse response, NpgsqlDataSource database, CancellationToken cancellation)
    {
        var query = new QueryString(request.Query, "email", "status", "after", "limit");
        var limit = (int)(query.Whole("limit", 1, long.MaxValue) ?? 100);
        var after = query.Id("after");
        var status = query.OneOf("status", [.. Enum.GetValues<AccountStatus>().Where(s => s != AccountStatus.None).Select(s => JsonNamingPolicy.CamelCase.ConvertName(s.ToString()))]);
        // A plus sign that was not escaped arrives as a space, which no address has inside.
        var email = query.Text("email")?.Trim().Replace(' ', '+');
        if (query.Any) return query.Problem();

        limit = Math.Clamp(limit, 1, 1_000);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var where = string.Join(" and ", Conditions());
        var rows = (await connection.QueryAsync<(Guid Id, string Document)>(new CommandDefinition(
            $"select id, document::text from {ReadModel.Schema}.accounts {(where.Length > 0 ? "where " + where : "")} order by id limit @limit",
            new { email = email is null ? null : EmailAddress.Comparable(email), status, after, limit }, cancellationToken: cancellation))).AsList();
        if (rows.Count == limit) response.Headers.Link = NextPage(request, rows[^1].Id.ToString());
        return Json($"[{string.Join(',', rows.Select(r => r.Document))}]");

        IEnumerable<string> Conditions()
        {
            if (email is not null) yield return "email = @email";
            if (status is not null) yield return "status = @status";
            if (after is not null) yield return "id > @after";
        }
    }

    /// <summary>RFC 8288: where the page after this one is.</summary>
    internal static string NextPage(HttpRequest request, string after)
    {
        var parameters = request.Query.Where(p => p.Key != "after").SelectMany(p => p.Value, (p, value) => KeyValuePair.Create(p.Key, value));
        return $"<{request.Path}{Microsoft.AspNetCore.Http.QueryString.Create([.. parameters, new("after", after)])}>; rel=\"next\"";
    }

    private static ContentHttpResult Json(string json) => TypedResults.Content(json, "application/json; charset=utf-8");

    private static IResult Unknown(string detail = "No account has this id.") =>
        Problems.Problem(StatusCodes.Status404NotFound, "not-found", "Not found", detail);
}

/// <summary>An event as the HTTP API shows it.</summary>
/// <param name="Time">When it was appended to the log.</param>
/// <param name="Data">Its fields, without secrets.</param>
/// <param name="Actor">Who made it happen, see <see cref="Actors"/>; null where that is not known, as of events of earlier versions.</param>
/// <param name="CausationId">Of the message that led to it, or of the event.</param>
/// <param name="CorrelationId">What all have that follow from one message.</param>
public sealed record EventView(long Position, Guid StreamId, long Version, Guid Id, string Type, DateTimeOffset Time, JsonObject Data, string? Actor, string? CausationId, string? CorrelationId)
{
    public static EventView Of(LoggedEvent e)
    {
        var cause = e.Cause;
        return new(e.Position, e.StreamId, e.Version, e.EventId, e.Type, e.At, EventTypes.WithoutSecrets(e.Type, e.Data), cause.Actor, cause.MessageId, cause.CorrelationId);
    }
}
