using Signup.Gateway.Pages;
using Signup.Gateway.Web;
using Signup.Hosting.Operations;

namespace Signup.Gateway.Ops;

/// <summary>
/// The system as it is, for whoever operates it without ServicePulse. In the gateway, since that is the one process with pages; it keeps no
/// state for it: figures are asked for, failed messages stay the broker's, and what an operator does becomes a fact in the log by way of Accounts.
/// </summary>
public static class OpsRoutes
{
    public const string Path = "/ops";

    private static readonly Texts Texts = Texts.English;

    public static void AddOps(this WebApplicationBuilder builder)
    {
        OpsAddress.Add(builder);
        builder.Services.AddOperators("operator", Path);
        builder.Services.AddSingleton<ManagementApi>().AddSingleton<SystemState>().AddSingleton<ErrorQueue>().AddHostedService<DeliveryLimits>();
        builder.Services.AddHttpClient(SystemState.Client, http => http.Timeout = TimeSpan.FromSeconds(2));
    }

    private static readonly OperatorDoor Door = new(Path, form => new LocalizedPage<OpsSignInPage>(form.Status, Texts, new() { [nameof(OpsSignInPage.Form)] = form }));

    public static void MapOps(this IEndpointRouteBuilder all)
    {
        var app = Door.Map(all);
        app.MapGet(Path, ShowAsync);
        app.MapGet(Path + "/messages/{id:guid}", ShowMessageAsync);
        app.MapPost(Path + "/messages/{id:guid}/retry", (Guid id, HttpContext http, FormTokens tokens, ErrorQueue error) =>
            ActAsync(http, tokens, async (by, _) => Back(Said(await error.RetryAsync(id, by, http.RequestAborted), OpsNotice.Retried))));
        app.MapPost(Path + "/messages/{id:guid}/discard", (Guid id, HttpContext http, FormTokens tokens, ErrorQueue error) =>
            ActAsync(http, tokens, async (by, form) => form.GetValueOrDefault("reason").ToString().Trim() is { Length: > 0 and <= 500 } reason
                ? Back(Said(await error.DiscardAsync(id, by, reason, http.RequestAborted), OpsNotice.Discarded))
                : Results.Redirect($"{Path}/messages/{id}?say=reason")));
        app.MapPost(Path + "/retry-all", (HttpContext http, FormTokens tokens, ErrorQueue error) =>
            ActAsync(http, tokens, async (by, _) => await RetryAllAsync(error, by, http.RequestAborted)));
    }

    private static async Task<IResult> ShowAsync(HttpContext http, FormTokens tokens, SystemState state, ErrorQueue error, TimeProvider time, string? say, int? done, int? left)
    {
        var (parts, queue, noFigures) = await state.LookAsync(http.RequestAborted);
        var failed = await error.LookAsync(http.RequestAborted);
        return new LocalizedPage<OpsPage>(200, Texts, new()
        {
            [nameof(OpsPage.Operator)] = Door.NameOf(http),
            [nameof(OpsPage.Parts)] = parts,
            [nameof(OpsPage.Error)] = queue,
            [nameof(OpsPage.NoFigures)] = noFigures,
            [nameof(OpsPage.Failed)] = failed,
            [nameof(OpsPage.Readers)] = failed.Others > 0 ? await state.ErrorReadersAsync(http.RequestAborted) : [],
            [nameof(OpsPage.Say)] = Text(say, done, left),
            [nameof(OpsPage.FormToken)] = tokens.Issue(http),
            [nameof(OpsPage.At)] = time.GetUtcNow(),
        });
    }

    private static async Task<IResult> ShowMessageAsync(Guid id, HttpContext http, FormTokens tokens, ErrorQueue error, string? say)
    {
        var failed = await error.LookAsync(http.RequestAborted);
        return failed.Messages.FirstOrDefault(m => m.FailureId == id) is { } message
            ? new LocalizedPage<OpsMessagePage>(200, Texts, new()
            {
                [nameof(OpsMessagePage.Operator)] = Door.NameOf(http),
                [nameof(OpsMessagePage.Message)] = message,
                [nameof(OpsMessagePage.ReasonMissing)] = say == "reason",
                [nameof(OpsMessagePage.FormToken)] = tokens.Issue(http),
            })
            : Back(failed.Others > 0 ? OpsNotice.NotOurs : OpsNotice.Gone);
    }

    private static async Task<IResult> ActAsync(HttpContext http, FormTokens tokens, Func<string, IReadOnlyDictionary<string, Microsoft.Extensions.Primitives.StringValues>, Task<IResult>> act)
    {
        var (form, fault) = await Body.ReadFormAsync(http.Request, http.RequestAborted);
        return fault is null && tokens.AreValid(http.Request, form) ? await act(Door.NameOf(http), form) : Back(OpsNotice.FormTooOld);
    }

    private static async Task<IResult> RetryAllAsync(ErrorQueue error, string by, CancellationToken cancellation)
    {
        var (done, left) = (0, 0);
        var failed = await error.LookAsync(cancellation);
        if (failed.Others > 0) return Back(OpsNotice.NotOurs);
        foreach (var message in failed.Messages)
            if (await error.RetryAsync(message.FailureId, by, cancellation) == ActOutcome.Done) done++;
            else left++;
        return Results.Redirect($"{Path}?say={OpsNotice.AllRetried}&done={done}&left={left}");
    }

    private static OpsNotice Said(ActOutcome outcome, OpsNotice done) => outcome switch
    {
        ActOutcome.Done => done,
        ActOutcome.Gone => OpsNotice.Gone,
        ActOutcome.NoSuchQueue => OpsNotice.NoSuchQueue,
        ActOutcome.NotOurs => OpsNotice.NotOurs,
        _ => OpsNotice.NoBroker,
    };

    /// <summary>An address says which of these it is, and never the words: whoever makes somebody follow a link puts nothing into our mouth.</summary>
    private static string? Text(string? say, int? done, int? left) => !Enum.TryParse<OpsNotice>(say, out var notice) ? null : notice switch
    {
        OpsNotice.Retried => "It was sent to its queue again.",
        OpsNotice.Discarded => "It was discarded.",
        OpsNotice.AllRetried => left is null or 0 ? $"{done} sent to their queues again." : $"{done} sent to their queues again, {left} could not be.",
        OpsNotice.Gone => "It is not in the queue error any more.",
        OpsNotice.NoSuchQueue => "The queue it failed in does not exist. It can only be discarded.",
        OpsNotice.NotOurs => "Somebody else takes from the queue error by now; nothing was done here.",
        OpsNotice.NoBroker => "RabbitMQ cannot be reached. Nothing was lost; try again.",
        OpsNotice.FormTooOld => "The form was too old. Try again.",
        _ => null,
    };

    private static IResult Back(OpsNotice say) => Results.Redirect($"{Path}?say={say}");
}

/// <summary>What became of an operator's act.</summary>
public enum OpsNotice { Retried, Discarded, AllRetried, Gone, NoSuchQueue, NotOurs, NoBroker, FormTooOld }
