using System.Text.Json;
using Microsoft.Playwright;
using RabbitMQ.Client;
using Signup.Hosting;
using Signup.Messages.Accounts;
using Signup.Tests.Browser;
using Signup.Tests.Fixture;

[assembly: AssemblyFixture(typeof(Site))]
// The machine that runs the browser runs the whole system, too.
[assembly: Xunit.v3.Parallelization(MaxThreads = 1)]

namespace Signup.Tests.Browser;

/// <summary>The whole system, and a browser to use it with.</summary>
public sealed class Site : IAsyncLifetime
{
    /// <summary>Opens <c>/ops</c>.</summary>
    public const string OpsKey = "a-long-and-random-key";

    /// <summary>No downloads, no background chatter; and no sandbox, which a browser that runs as root does without.</summary>
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private SignupSystem? _system;

    public SignupSystem System => _system!;

    public async ValueTask InitializeAsync()
    {
        // A machine that is busy with other tests takes its time.
        Assertions.SetDefaultExpectTimeout(120_000);
        _system = await SignupSystem.StartAsync("browser", new Dictionary<string, string> { ["Ops__ApiKey"] = OpsKey, ["Signup__ReplyTimeout"] = "00:00:15" });
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } path ? path : "/usr/bin/chromium",
            Args = Arguments,
        });
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

    /// <summary>Sends a sign-up as a program with a bug would: no handler can handle it.</summary>
    public async Task FailAsync()
    {
        await using var channel = await System.Broker.OpenConfirmingChannelAsync(CancellationToken.None);
        var properties = new BasicProperties { MessageId = Guid.NewGuid().ToString(), Type = typeof(SignUp).FullName, ContentType = "application/json", Persistent = true };
        await channel.BasicPublishAsync(Topology.Accounts, "", mandatory: true, properties,
            JsonSerializer.SerializeToUtf8Bytes(new { AccountId = Guid.NewGuid(), Username = "grace", Email = "grace.hopper@example.org" }));
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_system is not null) await _system.DisposeAsync();
    }
}
