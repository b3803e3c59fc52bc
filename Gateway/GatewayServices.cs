using System.Net;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.HttpOverrides;
using Signup.Gateway.Accounts;
using Signup.Gateway.Activation;
using Signup.Gateway.Inbox;
using Signup.Gateway.MailEvents;
using Signup.Gateway.Ops;
using Signup.Gateway.Pages;
using Signup.Gateway.Passwords;
using Signup.Gateway.SigningUp;
using Signup.Gateway.Web;
using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Messages.Uniqueness;
using IPNetwork = System.Net.IPNetwork;

namespace Signup.Gateway;

/// <summary>What the gateway consists of.</summary>
public static class GatewayServices
{
    public static void AddGateway(this WebApplicationBuilder builder)
    {
        var (services, settings) = (builder.Services, builder.Configuration);
        // Its limit for a body, 28.6 MiB, stays far above ours (see Body): whoever is beyond that is cut off while still sending, and never sees an answer.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Encoder = JavaScriptEncoder.Create(UnicodeRanges.All));
        services.AddProblemDetails();
        services.AddEndpointHealth(database: false);

        services.AddSingleton(new DerivedKeys(SignupEndpoint.SigningKeys(settings)));
        services.AddSingleton<FormTokens>().AddSingleton<StatusTokens>().AddSingleton<PageRenderer>().AddSingleton<GatewayMetrics>();
        services.AddOptions<HashingSettings>().Bind(settings.GetSection("PasswordHashing")).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<PasswordHasher>().AddSingleton<HashingPool>();
        services.AddSingleton(new SignUpLimit(settings.GetValue("RateLimiting:SignUpsPerMinute", 60)));
        services.AddTransient<SignUpDesk>();
        services.AddSingleton<DevInbox>();
        services.AddRehearsal(RehearseAsync);
        services.AddMailEvents(settings);
        services.AddOps();
        services.AddTransient<AccountLookup>().AddTransient<AccountAnswers>();
        services.AddHttpClient<VerdictClient>(http =>
        {
            http.BaseAddress = SignupEndpoint.Url(settings, "Uniqueness:Url");
            http.Timeout = VerdictClient.Timeout;
            http.DefaultRequestHeaders.Add(ApiKey.Header, settings["Uniqueness:ApiKey"]);
        });
        services.AddHttpClient<QueryClient>(http =>
        {
            http.BaseAddress = SignupEndpoint.Url(settings, "Query:Url");
            http.Timeout = QueryClient.Timeout;
            http.DefaultRequestHeaders.Add(ApiKey.Header, settings["Query:ApiKey"]);
        });
        services.AddHsts(hsts => hsts.MaxAge = TimeSpan.FromDays(365));
        services.Configure<ForwardedHeadersOptions>(options => TrustProxies(options, settings["ForwardedHeaders:KnownProxies"]));
    }

    public static void UseGateway(this WebApplication app)
    {
        if (!string.IsNullOrWhiteSpace(app.Configuration["ForwardedHeaders:KnownProxies"])) app.UseForwardedHeaders();
        app.UseMiddleware<SecurityHeaders>();
        if (!app.Environment.IsDevelopment()) app.UseHsts();
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = context => Failures.WriteAsync(context, context.Features.Get<IExceptionHandlerFeature>()?.Error),
            // A client's fault is no error of ours.
            SuppressDiagnosticsCallback = context => context.Exception is BadHttpRequestException or OperationCanceledException,
        });
        app.UseStatusCodePages(context => Failures.WriteAsync(context.HttpContext));
        app.UseHeadRouting();
        app.MapAssets();
    }

    /// <summary>What becomes of a form here, from the page to the answer.</summary>
    private static async Task RehearseAsync(IServiceProvider services, CancellationToken cancellation)
    {
        await services.GetRequiredService<PageRenderer>().RenderAsync<SignUpPage>(Texts.English, new Dictionary<string, object?> { [nameof(SignUpPage.FormToken)] = "", [nameof(SignUpPage.Key)] = "" });
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

    /// <summary>Headers that say who the client is count only where they come from these addresses, or address ranges, comma-separated.
    /// From anyone else they are an attacker's to choose.</summary>
    private static void TrustProxies(ForwardedHeadersOptions options, string? proxies)
    {
        options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var proxy in (proxies ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (proxy.Contains('/')) options.KnownIPNetworks.Add(IPNetwork.Parse(proxy));
            else options.KnownProxies.Add(IPAddress.Parse(proxy));
        }
    }
}
