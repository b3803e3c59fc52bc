using System.Net;
using System.Net.Http.Json;
using Marten;
using Microsoft.Playwright;
using Signup.EventLog;
using Signup.Tests.Browser;

[assembly: AssemblyFixture(typeof(Site))]
// The machine that runs the browser runs the whole system, too.
[assembly: Xunit.v3.Parallelization(MaxThreads = 1)]

namespace Signup.Tests.Browser;

/// <summary>The whole system, and a browser to use it with.</summary>
public sealed class Site : IAsyncLifetime
{
    /// <summary>No downloads, no background chatter; and no sandbox, which a browser that runs as root does without.</summary>
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    public const string OperatorsKey = "a-long-and-random-key";

    private const string EventsKey = "browser";

    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private SignupSystem? _system;
    private Task<string>? _hiding;

    /// <summary>Of somebody else, whose users sign in here.</summary>
    public SampleApplication Application { get; } = new();

    public SignupSystem System => _system!;

    public async ValueTask InitializeAsync()
    {
        // A machine that is busy with other tests takes its time.
        Assertions.SetDefaultExpectTimeout(30_000);
        _system = await SignupSystem.StartAsync("browser", new Dictionary<string, string>
        {
            ["Mail__EventsKey"] = EventsKey, ["Ops__Keys__ada"] = OperatorsKey, ["Signup__ReplyTimeout"] = "00:00:03", ["OpenId__ClientsFile"] = await Application.WriteClientsFileAsync(),
        });
        await Application.StartAsync(System.GatewayUrl);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } path ? path : "/usr/bin/chromium",
            Args = Arguments,
        });
    }

    /// <summary>One more gateway, started once, that does not tell whether an address is taken.</summary>
    public Task<string> HidingUrlAsync() => _hiding ??= StartAsync();

    private async Task<string> StartAsync()
    {
        var gateway = System.Add("Gateway");
        gateway.Set("Signup__HideTaken", "true");
        gateway.Set("Ops__Url", SignupProcess.FreeUrl());
        await gateway.StartAsync();
        return gateway.Url;
    }

    /// <summary>A new visitor with cookies of their own, at the sign-up form.</summary>
    public async Task<Visitor> VisitAsync(bool javaScript = true, ColorScheme scheme = ColorScheme.Light, int width = 1200, string locale = "en-GB")
    {
        var context = await _browser!.NewContextAsync(new()
        {
            BaseURL = System.GatewayUrl,
            JavaScriptEnabled = javaScript,
            ColorScheme = scheme,
            ViewportSize = new() { Width = width, Height = 800 },
            Locale = locale,
        });
        var visitor = new Visitor(context, await context.NewPageAsync());
        await visitor.Page.GotoAsync("/");
        return visitor;
    }

    /// <summary>Puts a fact into an account's stream, as an endpoint does that is not asked to here.</summary>
    public async Task AppendAsync(Guid accountId, object @event)
    {
        using var log = DocumentStore.For(options => LogStore.Configure(options, System.Database));
        await using var session = log.LightweightSession();
        session.Events.Append(accountId, @event);
        await session.SaveChangesAsync();
    }

    /// <summary>Says, as the mail provider, what became of an account's first mail.</summary>
    public async Task ReportAsync(Guid accountId, string what)
    {
        using var provider = new HttpClient { BaseAddress = new Uri(System.GatewayUrl), DefaultRequestHeaders = { { "X-Api-Key", EventsKey } } };
        using var taken = await provider.PostAsJsonAsync("mail/events", new { messageId = $"<activation.{accountId}@signup.example>", @event = what });
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_system is not null) await _system.DisposeAsync();
        }
        finally
        {
            if (_browser is not null) await _browser.DisposeAsync().AsTask().WaitAsync(Wait.Deadline);
            _playwright?.Dispose();
            await Application.DisposeAsync();
        }
    }
}
