using System.Text.Encodings.Web;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Microsoft.AspNetCore.Diagnostics;
using Signup.EventLog;
using Signup.Gateway.Accounts;
using Signup.Gateway.Api;
using Signup.Gateway.Inbox;
using Signup.Gateway.MailEvents;
using Signup.Gateway.OpenId;
using Signup.Gateway.Ops;
using Signup.Gateway.OwnAccount;
using Signup.Gateway.Pages;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningIn;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Hosting.Calls;
using Signup.Hosting.Handling;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;
using Signup.Hosting.RabbitMq;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;

namespace Signup.Gateway;

/// <summary>What the gateway consists of.</summary>
public static partial class GatewayServices
{
    public static void AddGateway(this WebApplicationBuilder builder)
    {
        var (services, settings) = (builder.Services, builder.Configuration);
        // Its limit for a body, 28.6 MiB, stays far above ours (see Body): whoever is beyond that is cut off while still sending, and never sees an answer.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.Encoder = JavaScriptEncoder.Create(UnicodeRanges.All);
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddProblemDetails();
        services.AddEndpointHealth(database: false);

        var keys = new DerivedKeys(Settings.SigningKeys(settings));
        services.AddSingleton(keys);
        services.AddSingleton<FormTokens>().AddSingleton<StatusTokens>().AddSingleton<GatewayMetrics>();
        services.AddOptions<HashingSettings>().Bind(settings.GetSection("PasswordHashing")).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<PasswordHasher>().AddSingleton<HashingPool>();
        services.AddSingleton(new ClientLimit(settings.GetValue("RateLimiting:SignUpsPerMinute", 60)));
        services.AddSingleton(new TakenAddresses(settings.GetValue<bool>(TakenAddresses.Setting)));
        services.AddTransient<SignUpDesk>();
        services.AddSingleton<DevInbox>();
        services.AddRehearsal(RehearseAsync);
        services.AddMailEvents(settings);
        services.AddApiDocument();
        builder.AddOps();
        services.AddTransient<AccountLookup>().AddTransient<AccountAnswers>().AddTransient<AccountCommands>();
        services.AddInternalClient<VerdictClient>(settings, "Uniqueness", VerdictClient.Timeout);
        services.AddInternalClient<QueryClient>(settings, "Query", QueryClient.Timeout);
        services.AddSigningIn(settings);
        services.AddOwnAccount(settings);
        services.AddOpenId(settings, keys);
        services.AddHsts(hsts => hsts.MaxAge = TimeSpan.FromDays(365));
    }

    public static void UseGateway(this WebApplication app)
    {
        app.UseProxies();
        app.UseMiddleware<SecurityHeaders>();
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = context => Failures.WriteAsync(context, context.Features.Get<IExceptionHandlerFeature>()?.Error),
            // A client's fault is no error of ours.
            SuppressDiagnosticsCallback = context => context.Exception is BadHttpRequestException or OperationCanceledException,
        });
        app.UseStatusCodePages(context => Failures.WriteAsync(context.HttpContext));
        OpsAddress.Use(app);
        app.UsePublicScheme();
        if (!app.Environment.IsDevelopment()) app.UseHsts();
        app.UseHeadRouting();
        // Whoever else it is says so.
        var person = Cause.By(Actors.Person);
        app.Use((http, next) =>
        {
            Cause.Is(person);
            return next(http);
        });
        Layout.Files.Map(app);
        app.UseOpenId();
    }

    /// <summary>A site that is https for its users, and is not spoken to by TLS here, has a proxy in front that ends it: cookies and forms are those of https, whether or not it says so.</summary>
    private static void UsePublicScheme(this WebApplication app)
    {
        if (app.Configuration["Signup:PublicUrl"]?.StartsWith("https:", StringComparison.OrdinalIgnoreCase) is not true) return;
        app.Use((http, next) =>
        {
            http.Request.Scheme = "https";
            return next(http);
        });
        if (!app.Environment.IsDevelopment() && string.IsNullOrWhiteSpace(app.Configuration[Proxies.Setting]) && app.Services.GetRequiredService<OpsAddress>().PublicUrls.All(u => !u.StartsWith("https:", StringComparison.OrdinalIgnoreCase)))
            ProxyNotDeclared(app.Logger);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Signup:PublicUrl is https, and this process speaks plain http: some proxy must be in front of it, and " + Proxies.Setting + " does not say which. All people behind it count as one client, and share one rate limit: put its address into that setting")]
    private static partial void ProxyNotDeclared(ILogger logger);

    /// <summary>What becomes of a form here, from the page to the answer.</summary>
    private static async Task RehearseAsync(IServiceProvider services, CancellationToken cancellation)
    {
        await Page.RenderAsync<SignUpPage>(services, LocalizedPage.Parameters(Texts.English, new Dictionary<string, object?> { [nameof(SignUpPage.FormToken)] = "", [nameof(SignUpPage.Key)] = "" }));
        var filledIn = """{"username":"rehearsal","email":"nobody@rehearsal.invalid","password":"rehearsed by nobody"}"""u8.ToArray();
        var (json, _) = await Body.ReadJsonAsync(new DefaultHttpContext { Request = { ContentType = "application/json", Body = new MemoryStream(filledIn) } }.Request, cancellation);
        SignUpValidation.Check(SignUpFields.Of(json));
        services.GetRequiredService<StatusTokens>().Issue(Guid.Empty, Guid.Empty);
        _ = services.GetRequiredService<SignUpDesk>();
        var hash = await services.GetRequiredService<HashingPool>().HashAsync("rehearsal", new byte[DerivedKeys.SaltLength], cancellation);
        var sends = services.GetRequiredService<HandlerSends>();
        await services.GetRequiredService<CommandClient>().RehearseAsync<Verdict>(new SignUp(Guid.Empty, "", "", hash, "", default, Once: false),
            asked => sends.ReplyAsync(new Verdict(Guid.Empty, Guid.Empty, VerdictOutcome.Invalid, 0, 0, null), asked), cancellation);
    }
}
