using Signup.Gateway.Pages;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Hosting.ServiceControl;

namespace Signup.Gateway.Ops;

/// <summary>
/// The system as it is, for whoever operates it without ServicePulse. In the gateway, since that is the one process with pages; it keeps no
/// state for it: figures are asked for, failed messages stay the broker's, and what an operator does becomes a fact in the log by way of Accounts.
/// </summary>
public static class OpsRoutes
{
    public const string Path = "/ops";

    private static readonly Texts Texts = Texts.English;

    public static void AddOps(this IServiceCollection services)
    {
        services.AddSingleton<Operators>().AddSingleton<SystemState>().AddSingleton<ErrorQueue>().AddSingleton<SignInLimit>();
        services.AddHttpClient(SystemState.Client, http => http.Timeout = TimeSpan.FromSeconds(2));
    }

    public static void MapOps(this WebApplication app)
    {
        // Without a key there is no route: nobody gets in, and nobody learns that there could be one.
        if (!app.Services.GetRequiredService<Operators>().MayExist) return;

        app.MapGet(Path, ShowAsync);
        app.MapPost(Path + "/sign-in", SignInAsync);
        app.MapPost(Path + "/sign-out", (HttpContext http, Operators operators, FormTokens tokens) => ActAsync(http, operators, tokens, (_, _) =>
        {
            operators.SignOut(http);
            return Task.FromResult(Back(null));
        }));
        app.MapGet(Path + "/messages/{id:guid}", ShowMessageAsync);
        app.MapPost(Path + "/messages/{id:guid}/retry", (Guid id, HttpContext http, Operators operators, FormTokens tokens, ErrorQueue error) =>
            ActAsync(http, operators, tokens, async (by, _) => Back(Say(await error.RetryAsync(id, by, http.RequestAborted), "sent to its queue again"))));
        app.MapPost(Path + "/messages/{id:guid}/discard", (Guid id, HttpContext http, Operators operators, FormTokens tokens, ErrorQueue error) =>
            ActAsync(http, operators, tokens, async (by, form) => form.GetValueOrDefault("reason").ToString().Trim() is { Length: > 0 and <= 500 } reason
                ? Back(Say(await error.DiscardAsync(id, by, reason, http.RequestAborted), "discarded"))
                : Results.Redirect($"{Path}/messages/{id}?say=reason")));
        app.MapPost(Path + "/retry-all", (HttpContext http, Operators operators, FormTokens tokens, ErrorQueue error) =>
            ActAsync(http, operators, tokens, async (by, _) => Back(await RetryAllAsync(error, by, http.RequestAborted))));
    }

    private static async Task<IResult> ShowAsync(HttpContext http, Operators operators, FormTokens tokens, SystemState state, ErrorQueue error, TimeProvider time, string? say)
    {
        if (operators.Find(http.Request) is not { } name) return SignInPage(http, tokens, 401, null);
        var (parts, queue, noFigures) = await state.LookAsync($"http://{http.Connection.LocalIpAddress?.MapToIPv4()}:{http.Connection.LocalPort}", http.RequestAborted);
        return Private(http, new Page<OpsPage>(200, Texts, new()
        {
            [nameof(OpsPage.Operator)] = name,
            [nameof(OpsPage.Parts)] = parts,
            [nameof(OpsPage.Error)] = queue,
            [nameof(OpsPage.NoFigures)] = noFigures,
            [nameof(OpsPage.Failed)] = await error.LookAsync(http.RequestAborted),
            [nameof(OpsPage.Say)] = say,
            [nameof(OpsPage.FormToken)] = tokens.Issue(http),
            [nameof(OpsPage.At)] = time.GetUtcNow(),
        }));
    }

    private static async Task<IResult> ShowMessageAsync(Guid id, HttpContext http, Operators operators, FormTokens tokens, ErrorQueue error, string? say)
    {
        if (operators.Find(http.Request) is not { } name) return SignInPage(http, tokens, 401, null);
        var failed = await error.LookAsync(http.RequestAborted);
        return failed.Messages.FirstOrDefault(m => m.FailureId == id) is { } message
            ? Private(http, new Page<OpsMessagePage>(200, Texts, new()
            {
                [nameof(OpsMessagePage.Operator)] = name,
                [nameof(OpsMessagePage.Message)] = message,
                [nameof(OpsMessagePage.ReasonMissing)] = say == "reason",
                [nameof(OpsMessagePage.FormToken)] = tokens.Issue(http),
            }))
            : Back("It is not in the queue error any more.");
    }

    private static async Task<IResult> SignInAsync(HttpContext http, Operators operators, FormTokens tokens, SignInLimit limit, ILogger<Operators> logger)
    {
        if (limit.Limit.Refuse(http.Connection.RemoteIpAddress) is { } after)
        {
            Problems.SetRetryAfter(http.Response, after);
            return SignInPage(http, tokens, 429, "Too many tries. Wait a minute.");
        }
        var (form, fault) = await Body.ReadFormAsync(http.Request, http.RequestAborted);
        if (fault is not null || !tokens.AreValid(http.Request, form)) return SignInPage(http, tokens, 400, "The form was too old. Try again.");
        if (form.GetValueOrDefault("name").ToString().Trim() is not { Length: > 0 } name) return SignInPage(http, tokens, 400, "Say who you are: what you do here is recorded under this name.");
        if (!operators.IsKey(form.GetValueOrDefault("key")))
        {
            logger.Refused(http.Connection.RemoteIpAddress?.ToString());
            return SignInPage(http, tokens, 401, "That is not the key.");
        }
        operators.SignIn(http, name);
        return Back(null);
    }

    private static async Task<IResult> ActAsync(HttpContext http, Operators operators, FormTokens tokens, Func<string, IReadOnlyDictionary<string, Microsoft.Extensions.Primitives.StringValues>, Task<IResult>> act)
    {
        if (operators.Find(http.Request) is not { } name) return SignInPage(http, tokens, 401, null);
        var (form, fault) = await Body.ReadFormAsync(http.Request, http.RequestAborted);
        return fault is null && tokens.AreValid(http.Request, form) ? await act(name, form) : Back("The form was too old. Try again.");
    }

    private static async Task<string> RetryAllAsync(ErrorQueue error, string by, CancellationToken cancellation)
    {
        var (done, left) = (0, 0);
        foreach (var message in (await error.LookAsync(cancellation)).Messages)
            if (await error.RetryAsync(message.FailureId, by, cancellation) == ActOutcome.Done) done++;
            else left++;
        return left == 0 ? $"{done} sent to their queues again." : $"{done} sent to their queues again, {left} could not be.";
    }

    private static string Say(ActOutcome outcome, string done) => outcome switch
    {
        ActOutcome.Done => $"It was {done}.",
        ActOutcome.Gone => "It is not in the queue error any more.",
        ActOutcome.NoSuchQueue => "The queue it failed in does not exist. It can only be discarded.",
        _ => "RabbitMQ cannot be reached. Nothing was lost; try again.",
    };

    private static IResult Back(string? say) => Results.Redirect(say is null ? Path : $"{Path}?say={Uri.EscapeDataString(say)}");

    private static IResult SignInPage(HttpContext http, FormTokens tokens, int status, string? trouble) => Private(http, new Page<OpsSignInPage>(status, Texts, new()
    {
        [nameof(OpsSignInPage.Trouble)] = trouble,
        [nameof(OpsSignInPage.FormToken)] = tokens.Issue(http),
    }));

    private static IResult Private(HttpContext http, IResult page)
    {
        http.Response.Headers.CacheControl = "no-store";
        return page;
    }
}

/// <summary>A key is long and random; this keeps guessing from filling the log.</summary>
public sealed class SignInLimit : IDisposable
{
    public SignUpLimit Limit { get; } = new(10);

    public void Dispose() => Limit.Dispose();
}

internal static partial class OpsLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "A wrong key for /ops, from {Address}")]
    public static partial void Refused(this ILogger logger, string? address);
}
