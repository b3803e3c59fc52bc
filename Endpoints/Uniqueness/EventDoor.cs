using System.Text.Json;
using Signup.EventLog;
using Signup.Hosting.Handling;
using Signup.Hosting.Http;
using Signup.Messages.Uniqueness;

namespace Signup.Uniqueness;

/// <summary>The door over HTTP: <c>POST</c> claims, <c>PATCH</c> replaces, <c>DELETE</c> gives up.</summary>
public static class EventDoor
{
    private sealed record Body(Guid? StreamId, Guid? EventId, long? ExpectedVersion, string? Type, JsonElement? Data);

    /// <summary>Pauses before the same proposal is tried again when the database fails; a proposal that was committed after all gets its first answer.</summary>
    private static readonly TimeSpan[] Pauses = [.. new[] { 50, 200, 1000 }.Select(ms => TimeSpan.FromMilliseconds(ms))];

    public static void MapEventDoor(this WebApplication app)
    {
        var door = app.MapGroup("/event").RequireApiKey("Uniqueness:ApiKey");
        door.MapMethods("", ["POST", "PATCH", "DELETE"], DecideAsync);
        door.MapGet("/{streamId:guid}/{eventId:guid}", FindAsync);
    }

    private static async Task<IResult> FindAsync(Guid streamId, Guid eventId, Verdicts verdicts, CancellationToken cancellation) =>
        await verdicts.FindAsync(streamId, eventId, cancellation) is { } verdict ? Results.Json(verdict) : Problem(404, "undecided", "Nothing is decided about such a proposal.");

    private static async Task<IResult> DecideAsync(HttpContext http, Proposals proposals, UniquenessRules rules)
    {
        Cause.Is(Cause.By(Actors.Api));
        try
        {
            var body = await JsonBody.ReadAsync<Body>(http, JsonSerializerOptions.Web);
            if (body.StreamId is not { } streamId) throw new FormatException("The streamId is missing.");
            if (body.ExpectedVersion is not { } version) throw new FormatException("The expectedVersion is missing: the number of events the stream has, 0 for a new one.");
            if (string.IsNullOrEmpty(body.Type)) throw new FormatException("The type is missing.");
            if (body.Data is not { } data) throw new FormatException("The data is missing.");
            var verb = VerbFor(rules.RulesFor(body.Type));
            if (verb is null && rules.Names(body.Type)) throw new FormatException($"An event of type '{body.Type}' touches no unique value here, and does not go in by this door.");
            if (verb is not null && verb != http.Request.Method) throw new FormatException($"An event of type '{body.Type}' goes in by {verb}.");
            return Answer(await InsistAsync(() => proposals.DecideAsync(streamId, body.EventId, version, body.Type, data, once: false), http.RequestAborted));
        }
        catch (FormatException e)
        {
            return Problem(400, "invalid", e.Message);
        }
        catch (RebuildingException e)
        {
            return Problem(503, "rebuilding", e.Message, TimeSpan.FromSeconds(5));
        }
        catch (Exception e) when (Recoverability.IsTransient(e))
        {
            return Problem(503, "undecided", "The log cannot be reached. Send the same proposal again; should it have got in after all, it gets its first answer.", TimeSpan.FromSeconds(1));
        }
    }

    private static async Task<Verdict> InsistAsync(Func<Task<Verdict>> decide, CancellationToken cancellation)
    {
        foreach (var pause in Pauses)
        {
            try
            {
                return await decide();
            }
            catch (Exception e) when (e is not RebuildingException && Recoverability.IsTransient(e))
            {
                await Task.Delay(pause, cancellation);
            }
        }
        return await decide();
    }

    /// <summary>An event that claims anything is posted, else one that replaces is patched, else it gives up. Null: it touches nothing.</summary>
    private static string? VerbFor(IReadOnlyList<ClaimRule> rules) =>
        rules.Count == 0 ? null
        : rules.Any(r => r.Action is ClaimAction.Create or ClaimAction.Reserve) ? "POST"
        : rules.Any(r => r.Action == ClaimAction.Update) ? "PATCH" : "DELETE";

    private static IResult Answer(Verdict verdict) => verdict.Outcome switch
    {
        VerdictOutcome.Accepted => Results.Ok(new { version = verdict.Version, position = verdict.Position }),
        VerdictOutcome.NotUnique => Problem(409, "not-unique", "Another stream holds this value.", constraint: verdict.Constraint),
        _ => Problem(409, "version-conflict", "The stream is not at the expected version, or does not hold what the event gives up."),
    };

    private static IResult Problem(int status, string name, string detail, TimeSpan? retryAfter = null, string? constraint = null) =>
        Problems.Problem(status, name, name, detail, retryAfter: retryAfter, more: ("constraint", constraint));
}
