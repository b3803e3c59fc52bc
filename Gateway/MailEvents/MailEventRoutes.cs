using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Signup.EventLog;
using Signup.EventLog.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.Web;
using Signup.Hosting.Http;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Mail;

namespace Signup.Gateway.MailEvents;

/// <summary>The mail provider tells here what became of mails that it had taken.</summary>
public static partial class MailEventRoutes
{
    /// <summary>Providers send many events at once. Bytes.</summary>
    private const int LargestBody = 1024 * 1024;

    private const string KeySetting = "Mail:EventsKey";

    private static readonly TimeSpan RetryAfterOutage = TimeSpan.FromSeconds(30);

    /// <summary>The shapes in <c>mail-events.json</c> beside the program, or in the file that <c>Mail__EventsFile</c> names.</summary>
    /// <exception cref="InvalidOperationException">The file is wrong, or not there.</exception>
    public static void AddMailEvents(this IServiceCollection services, IConfiguration settings)
    {
        var file = Path.Combine(AppContext.BaseDirectory, settings["Mail:EventsFile"] ?? "mail-events.json");
        services.AddSingleton(ProviderShapes.Parse(File.Exists(file) ? File.ReadAllText(file) : throw new InvalidOperationException($"{file}: there is no such file."), file));
    }

    public static void MapMailEvents(this WebApplication app)
    {
        // Without a key there is no route.
        if (string.IsNullOrEmpty(app.Configuration[KeySetting])) return;
        app.MapPost("/mail/events", TakeAsync).ForPrograms(Describing.MailProvider, "Report what became of mails").ForMailProvider()
            .Takes("An event, or several, in the shape that the provider has: `mail-events.json` says which are known.")
            .Answers<Taken>(200, "The same, for providers that want `200`.").Answers<Taken>(202, "Taken.").Refuses(400, "This is no JSON.").Refuses(413, "The body is too large.").MayBeUnavailable();
    }

    private static async Task<IResult> TakeAsync(
        HttpContext http, ProviderShapes shapes, CommandClient commands, IConfiguration settings, TimeProvider time, ILogger<ProviderShapes> logger)
    {
        if (!HasKey(http, settings[KeySetting]!))
        {
            // Amazon SNS sends the password in its address only to whoever asks for it so.
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"mail events\", charset=\"UTF-8\"";
            return Problems.Problem(401, "unauthorized", "Unauthorized", $"Send the key in the header {ApiKey.Header}, or as the password of Basic authentication.");
        }
        if (await Body.ReadAsync(http.Request, LargestBody, http.RequestAborted) is not { } body)
            return Problems.Problem(413, "too-large", "Too large", $"Send at most {LargestBody / 1024} KiB.");
        ProviderRequest request;
        try
        {
            request = shapes.Read(body);
        }
        catch (JsonException e)
        {
            return Problems.Problem(400, "invalid-json", "Not valid", $"The body is not JSON in UTF-8: {e.Message}");
        }
        if (request.Confirmation is not null) ToConfirm(logger, request.Confirmation);
        if (request.Unknown is not null) OfNoShape(logger, request.Unknown);

        var (now, taken) = (time.GetUtcNow(), new List<RecordMailEvent>());
        foreach (var report in request.Reports)
            // Others may send through the same provider.
            if (MailPurpose.TryRead(report.Mail, out var accountId, out var purpose))
                taken.Add(new(accountId, purpose, report.Event, MailPurpose.IsClassOfReasons(report.Reason) ? report.Reason : null, report.At is { } at && at < now ? at : now));
        try
        {
            Cause.Is(Cause.By(Actors.MailProvider));
            var timeout = settings.GetValue("Signup:ReplyTimeout", TimeSpan.FromSeconds(5));
            await Task.WhenAll(taken.Select(command => commands.SendAsync(Topology.Accounts, command, Guid.CreateVersion7(), timeout, http.RequestAborted)));
        }
        catch (BrokerUnavailableException)
        {
            // The provider sends them all once more; those that were taken are taken once.
            return Problems.Problem(503, "unavailable", "Not available right now", "The reports could not be kept. Please send them again.", retryAfter: RetryAfterOutage);
        }
        return Results.Json(new Taken(taken.Count, request.Reports.Count - taken.Count + request.Passed), statusCode: request.Answer);
    }

    /// <param name="Ignored">What is of no mail of ours, or says what nobody here needs to know.</param>
    internal sealed record Taken([property: JsonPropertyName("taken")] int Count, int Ignored);

    private static bool HasKey(HttpContext http, string key)
    {
        if (ApiKey.IsValid(http, KeySetting)) return true;
        if (!AuthenticationHeaderValue.TryParse(http.Request.Headers.Authorization, out var given) || !given.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)) return false;
        Span<byte> pair = stackalloc byte[1024];
        if (!Convert.TryFromBase64String(given.Parameter ?? "", pair, out var length)) return false;
        var password = pair[..length];
        password = password[(password.IndexOf((byte)':') + 1)..];
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(key), password);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The mail provider asks whether it may report to /mail/events. Open this address once, if it is yours: {Link}")]
    private static partial void ToConfirm(ILogger logger, Uri link);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A report to /mail/events is of no shape that mail-events.json has; its fields are: {Fields}")]
    private static partial void OfNoShape(ILogger logger, string fields);
}
